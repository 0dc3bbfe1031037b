# For all scripts here: stop at the first failure, work in a folder that goes, and what one run makes.
set -euo pipefail
. "$SLUICE_SOURCE/tests/support/need.sh"
cluster=$SLUICE_SOURCE/tools/cluster
work=$(mktemp -d)
model=$SLUICE_SOURCE/tests/data/model/tiny-llama-f16.gguf
arguments=(--imatrix "$SLUICE_SOURCE/tests/data/imatrix/tiny-llama.imatrix.gguf" --split-max-tensors 8)

fail() {
  echo "$*" >&2
  exit 1
}

# What one run makes.
make_one() {
  mkdir "$work/one"
  "$SLUICE" quantize -q "${arguments[@]}" "$model" "$work/one/out.gguf" IQ1_M
}

# The files of $work/parts are those of one run, and there are no others but the record.
expect_the_same() {
  for file in "$work"/one/*; do
    cmp "$file" "$work/parts/${file##*/}" || fail "${file##*/} differs"
  done
  [ "$(ls "$work/one" | wc -l)" -eq "$(ls "$work/parts" | grep -vc '\.parts$')" ] ||
    fail "left behind: $(ls "$work/parts")"
}
