# SLUICE_KERNELS=native: kernels for this machine's best instruction set alone, which is what a program
# with all of them chooses; and what is installed from there has all. Only configured.
. "$(dirname "$0")/common.sh"

"$SLUICE_BUILD/bin/sluice" quantize "$model" "$work/out.gguf" Q8_0 >"$work/summary" 2>&1
best=$(grep -oP '\(\K\w+(?= kernels\))' "$work/summary")
for again in 1 2; do
  cmake -S "$SLUICE_SOURCE" -B "$work/build" -G Ninja -DCMAKE_CXX_COMPILER="$CXX" -DSLUICE_TESTS=OFF \
    -DSLUICE_BENCH=OFF -DSLUICE_KERNELS=native >"$work/log" 2>&1 || { cat "$work/log"; exit 1; }
  kernels=$(grep -oP '^build cmake_object_order_depends_target_codec_\K\w+' "$work/build/build.ninja")
  [ "$kernels" = "$best" ] || fail "kernels for $kernels, and this machine's best is $best"
done
grep -q 'SLUICE_KERNELS=all' "$work/build/cmake_install.cmake" || fail "an installation for one machine"
! grep -q 'SLUICE_KERNELS=all' "$SLUICE_BUILD/cmake_install.cmake" || fail "configures what has all"
