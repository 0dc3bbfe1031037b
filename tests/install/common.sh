# For all scripts here: stop at the first failure, and work in a folder that goes.
set -euo pipefail
. "$SLUICE_SOURCE/tests/support/need.sh"
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
data=$SLUICE_SOURCE/tests/data
model=$data/model/tiny-llama-f16.gguf
imatrix=$data/imatrix/tiny-llama.imatrix.gguf
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

fail() {
  echo "$*" >&2
  exit 1
}
