# Each source is as clang-format writes it. Arguments: source folder, version, clang-format.
# Compared with what it writes: its own --dry-run complains of comments that it would not change.
. "$(dirname "$0")/../support/need.sh"
set -eu

source=$1 version=$2 program=${3:-clang-format}
need "$program"
"$program" --version | grep -q "version $version\." || missing "this clang-format is not version $version"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# Copies the sources of a folder, formats the copies, and tells the differences.
check() {
  (cd "$1" && find bench include src tests tools -name '*.cpp' -o -name '*.h' -o -name '*.c' \
    -o -path '*/page*/*js') |
    sort >"$work/files"
  [ -s "$work/files" ] || return 2
  mkdir "$work/copy"
  cp "$1/.clang-format" "$work/copy"
  (cd "$1" && xargs cp --parents -t "$work/copy" <"$work/files")
  (cd "$work/copy" && xargs "$program" -i) <"$work/files"
  status=0
  while read -r file; do
    diff -u --label "$file" --label "$file, as clang-format writes it" "$1/$file" "$work/copy/$file" ||
      status=1
  done <"$work/files"
  rm -r "$work/copy"
  return $status
}

check "$source"
# The check sees what is not so.
mkdir -p "$work/bad/bench" "$work/bad/include" "$work/bad/src" "$work/bad/tests" "$work/bad/tools"
cp "$source/.clang-format" "$work/bad"
printf 'int  a;\n' >"$work/bad/src/a.cpp"
if check "$work/bad" >/dev/null; then
  echo "a space too many was not seen" >&2
  exit 1
fi
