# The line for GNU parallel, on this machine alone.
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"
trap 'rm -rf "$work"' EXIT
need parallel
make_one
mkdir "$work/parts"
parallel --will-cite --jobs 3 "$SLUICE" quantize -q --part {}/4 "${arguments[@]}" "$model" \
  "$work/parts/out.gguf" IQ1_M ::: {1..4}
expect_the_same
