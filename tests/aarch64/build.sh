# Builds for aarch64 what the other tests here run.
. "$(dirname "$0")/common.sh"
need apt-get
tools/cross-aarch64
cmake --preset aarch64 -DSLUICE_WERROR="$SLUICE_WERROR" >"$work/log" 2>&1 || { cat "$work/log"; exit 1; }
cmake --build --preset aarch64 --target sluice_cli kernel_sums decode_golden
