# The examples build against the installed tree alone, and make what the program makes.
. "$(dirname "$0")/common.sh"

cp -r "$SLUICE_SOURCE/tools/examples" "$work/examples"
warnings="-Wall -Wextra -Wpedantic -Werror"
cmake -S "$work/examples" -B "$work/build" -DCMAKE_PREFIX_PATH="$SLUICE_PREFIX" \
  -DCMAKE_CXX_COMPILER="$CXX" -DCMAKE_CXX_FLAGS="$warnings" -DCMAKE_C_FLAGS="$warnings" >"$work/log" ||
  { cat "$work/log"; exit 1; }
grep -q "sluice_DIR.*$SLUICE_PREFIX" "$work/build/CMakeCache.txt" || fail "another sluice was found"
cmake --build "$work/build"

"$SLUICE_PREFIX/bin/sluice" quantize --quiet --imatrix "$imatrix" "$model" "$work/expected.gguf" IQ1_M
for program in quantize quantize_c; do
  "$work/build/$program" "$model" "$work/$program.gguf" iq1_m "$imatrix" 2>"$work/errors"
  cmp "$work/expected.gguf" "$work/$program.gguf"
  grep -q '100 %' "$work/errors" || fail "$program: no progress"
  status=0
  "$work/build/$program" "$work/none.gguf" "$work/x.gguf" IQ1_M 2>"$work/errors" || status=$?
  [ $status = 3 ] || fail "$program: a missing input gives $status"
  grep -q none.gguf "$work/errors" || fail "$program: the message lacks the file"
done
