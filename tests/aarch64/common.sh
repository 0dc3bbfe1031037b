# For all scripts here: stop at the first failure, and work in a folder that goes.
set -euo pipefail
cd "$SLUICE_SOURCE"
. tests/support/need.sh
need aarch64-linux-gnu-g++
need qemu-aarch64
work=$(mktemp -d -p "$SLUICE_BUILD")
trap 'rm -rf "$work"' EXIT

# Runs a program that was built for aarch64.
aarch64() {
  qemu-aarch64 -L build/aarch64-sysroot "$@"
}

fail() {
  echo "$*" >&2
  exit 1
}
