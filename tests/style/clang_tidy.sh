# clang-tidy finds nothing. Arguments: source folder, build folder, version, processes, clang-tidy.
. "$(dirname "$0")/../support/need.sh"
set -eu

version=$3 program=${5:-clang-tidy}
need "$program"
need python3
"$program" --version | grep -q "version $version\." || missing "this clang-tidy is not version $version"
exec python3 "$(dirname "$0")/clang_tidy.py" "$1" "$2" "$4" "$program"
