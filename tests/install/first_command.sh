# tools/sluice in a tree of its own, with stand-ins for the installation, CMake and the program: when it
# builds, what it shows, and that it never runs a program that is not the sources'.
. "$(dirname "$0")/common.sh"
need setpriv
need script

tree="$work/a tree"
build=$tree/build/release
mkdir -p "$work/bin" "$tree"/{tools,src,include}
touch "$tree"/{CMakeLists.txt,CMakePresets.json}
cp "$SLUICE_SOURCE/tools/sluice" "$tree/tools"
export calls=$work/calls PATH=$work/bin:$PATH SLUICE_NEWS_SECONDS=1
: >"$calls"

# $broken: what fails. $slow: seconds that building takes.
cat >"$tree/tools/install-deps" <<'E2'
#!/usr/bin/env bash
echo install >>"$calls"
echo "sluice: installing g++, cmake"
[ "${broken:-}" != install ] || { echo "E: no network"; exit 100; }
E2
cat >"$work/bin/cmake" <<'E2'
#!/usr/bin/env bash
set -euo pipefail
if [ "$1" = --build ]; then
  echo build >>"$calls"
  echo "[1 of 2] codec"
  sleep "${slow:-0}"
  [ "${broken:-}" != build ] || { echo "codec.cpp:1: error: expected ;"; exit 1; }
  [ "${broken:-}" != edited ] || touch "$2/../../src"
  mkdir -p "$2/bin"
  printf '#!/bin/sh\n[ "$machine" != other ] && echo "%s: $*"\n' "$(cat "$2/../../src/text")" >"$2/bin/sluice.new"
  chmod +x "$2/bin/sluice.new"
  mv "$2/bin/sluice.new" "$2/bin/sluice"
else
  echo "configure ${@: -1}" >>"$calls"
  [ "${broken:-}" != configure ] || { echo "CMake Error: no TBB"; exit 1; }
  [ "$1" = --fresh ] && shift
  mkdir -p "$2/build/release"
  touch "$2/build/release/build.ninja"
  echo "CMAKE_HOME_DIRECTORY:INTERNAL=$2" >"$2/build/release/CMakeCache.txt"
fi
E2
chmod +x "$work/bin/cmake" "$tree/tools/install-deps"
export machine=this

# edit TEXT: a source that changed; its program prints TEXT.
edit() { sleep 0.01; echo "$1" >"$tree/src/text"; }
# sluice WORD...: its status is in $status.
sluice() {
  : >"$calls"
  status=0
  "$tree/tools/sluice" "$@" >"$work/out" 2>"$work/errors" </dev/null || status=$?
}
# gives TEXT [CALLS]: the last run was the program of TEXT, after these calls.
gives() {
  [ $status = 0 ] && [ "$(cat "$work/out")" = "$1" ] ||
    fail "$1: status $status, $(cat "$work/out" "$work/errors")"
  [ "$(cut -d' ' -f1 "$calls" | tr '\n' ' ')" = "${2:-}" ] || fail "$1: called $(cat "$calls")"
}

for what in install configure build; do
  edit none
  broken=$what sluice x
  [ $status = 1 ] && [ ! -s "$work/out" ] || fail "after a failed $what: status $status"
  grep -qE 'no network|no TBB|expected ;' "$work/errors" || fail "does not show why: $(cat "$work/errors")"
  [ "$(tail -n 1 "$calls" | cut -d' ' -f1)" = $what ] || fail "goes on after a failed $what: $(cat "$calls")"
  grep -q 'about [1-9][0-9]* minutes on [1-9]' "$work/errors" || fail "does not say how long: $(cat "$work/errors")"
done
grep -q 'codec.cpp:1' "$build/tools-sluice.log" || fail "no log"

edit first
sluice 'a  b' --c
gives 'first: a  b --c' 'install build '
grep -q '^sluice: installing g++, cmake$' "$work/errors" || fail "does not say what is installed"
sluice x
gives 'first: x'
[ ! -s "$work/errors" ] || fail "says something where nothing is to be done: $(cat "$work/errors")"

# The old program is there, and is not run.
edit second
for what in install build build; do
  broken=$what sluice x
  [ $status = 1 ] && [ ! -s "$work/out" ] || fail "the old program, after a failed $what: status $status"
done
broken=edited sluice x
gives 'second: x' 'install build '
sluice x  # what was edited meanwhile is built
gives 'second: x' 'install build '

# From elsewhere, by another name.
ln -s "$tree/tools/sluice" "$work/bin/sluice"
: >"$calls"
(cd / && sluice x) >"$work/out" 2>"$work/errors"
gives 'second: x'

# Copied, with what was built, to another place and to another machine.
cp -a "$tree" "$work/copy"
edit third
cp -a "$tree/src" "$work/copy"
tree=$work/copy
build=$tree/build/release
sluice x
gives 'third: x' 'install configure build '
[[ $(grep configure "$calls") == *=native ]] || fail "$(cat "$calls")"
sluice x
machine=other sluice x
[ $status = 1 ] && grep -q 'does not start' "$work/errors" || fail "runs nowhere: $(cat "$work/errors")"
[[ $(grep configure "$calls") == *=all ]] || fail "not for both machines: $(cat "$calls")"
sluice x

# Shown: a line that changes on a terminal, lines now and then elsewhere.
edit fourth
slow=2 sluice x
gives 'fourth: x' 'install build '
[ "$(grep -c '^sluice: 0:0.*codec' "$work/errors")" -ge 1 ] || fail "silent: $(cat "$work/errors")"
! grep -q $'[\r\e]' "$work/errors" || fail "writes for a terminal where there is none"
edit fifth
slow=2 TERM=xterm script -qec "'$tree/tools/sluice' x" "$work/typescript" >/dev/null </dev/null
grep -q $'\r\e\\[Ksluice: 0:0. \\[1 of 2\\] codec\r\e\\[K' "$work/typescript" || fail "$(cat -v "$work/typescript")"
grep -q 'fifth: x' "$work/typescript" || fail "$(cat -v "$work/typescript")"

# Two at once: one builds.
edit sixth
: >"$calls"
pids=()
for i in 1 2; do
  slow=1 "$tree/tools/sluice" $i >"$work/out$i" 2>"$work/errors$i" &
  pids+=($!)
done
for pid in "${pids[@]}"; do wait $pid || fail "one of two: $(cat "$work"/errors?)"; done
[ "$(cat "$work"/out?)" = $'sixth: 1\nsixth: 2' ] && [ "$(grep -c build "$calls")" = 1 ] || fail "$(cat "$calls")"
grep -q 'waiting for another build' "$work"/errors? || fail "does not say that it waits"

# Ctrl-C, which a terminal sends to all that runs in front.
edit seventh
: >"$calls"
set -m
slow=100 "$tree/tools/sluice" x >"$work/out" 2>"$work/errors" &
set +m
until grep -q build "$calls"; do sleep 0.05; done
sleep 1  # for what bash starts meanwhile: an interrupt while it forks may be lost
kill -INT -- -$!
status=0
wait $! || status=$?
[ $status = 130 ] && [ ! -s "$work/out" ] || fail "after Ctrl-C: status $status, $(cat "$work/out")"
grep -q 'stopped' "$work/errors" || fail "$(cat "$work/errors")"
sluice x
gives 'seventh: x' 'install build '

# A tree that cannot be written to: a program that is up to date runs, another is not run.
chmod -R a-w,a+rX "$tree"
trap 'chmod -R u+w "$tree"; rm -rf "$work"' EXIT
chmod a+rx "$work" "$work/bin"
chmod a+w "$calls"
anybody=()
if [ "$(id -u)" = 0 ]; then anybody=(setpriv --reuid 65534 --regid 65534 --clear-groups); fi
[ "$("${anybody[@]}" "$tree/tools/sluice" x)" = 'seventh: x' ] || fail "a tree that is only read"
chmod u+w "$tree/src" "$tree/src/text"
edit eighth
chmod a-w "$tree/src" "$tree/src/text"
status=0
"${anybody[@]}" "$tree/tools/sluice" x >"$work/out" 2>"$work/errors" || status=$?
[ $status = 1 ] && [ ! -s "$work/out" ] && grep -q 'cannot be written to' "$work/errors" ||
  fail "a tree that is only read: $(cat "$work/out" "$work/errors")"
