# The build of a shared library configures, and would install that library. Only configured: what
# would be compiled is what `symbols` links.
. "$(dirname "$0")/common.sh"

cmake -S "$SLUICE_SOURCE" -B "$work/build" -G Ninja -DCMAKE_CXX_COMPILER="$CXX" \
  -DCMAKE_BUILD_TYPE=Release -DBUILD_SHARED_LIBS=ON >"$work/log" 2>&1 || { cat "$work/log"; exit 1; }
grep -q 'libsluice\.so' "$work/build/cmake_install.cmake" || fail "no shared library is installed"
