# tools/install-deps, with a stand-in for apt-get: what it asks for, and what it does without.
. "$(dirname "$0")/common.sh"

mkdir "$work/bin"
for program in bash env grep id; do ln -s "$(command -v $program)" "$work/bin"; done
# Says what it was called with. $missing: whether something is to be installed, $broken: what fails.
cat >"$work/apt-get" <<'E2'
#!/usr/bin/env bash
echo "apt-get $*" >>"$calls"
[[ $* == *"${broken:-nothing}"* ]] && exit 100
[[ $* != *-s* || -z ${missing:-} ]] || echo "Inst cmake (3.25.1-1 Debian:12/stable [amd64])"
E2
chmod +x "$work/apt-get"
export calls=$work/calls

# install_deps WORD...: runs it with no other programs than those above; its status is in $status.
install_deps() {
  : >"$calls"
  status=0
  PATH=$work/bin "$SLUICE_SOURCE/tools/install-deps" "$@" >"$work/out" 2>&1 || status=$?
}
person() { printf '#!/bin/sh\necho 1000\n' >"$work/person"; chmod +x "$work/person"; mv "$work/person" "$work/bin/id"; }

install_deps
[ $status = 0 ] || fail "without apt-get it does not go on"
grep -q 'no apt-get.*cmake (>= 3.25).*libboost' "$work/out" || fail "it does not say what is needed"

mv "$work/apt-get" "$work/bin"
install_deps
[ $status = 0 ] && [ ! -s "$work/out" ] || fail "says something where all is there: $(cat "$work/out")"
[ "$(wc -l <"$calls")" = 1 ] || fail "does more than to look: $(cat "$calls")"

ln -sf "$(command -v id)" "$work/bin/id"
if [ "$(id -u)" = 0 ]; then
  missing=yes install_deps --tests
  [ $status = 0 ] || fail "status $status"
  grep -q 'installing g++.*libgtest-dev' "$work/out" || fail "it does not say what it installs"
  grep -q 'libboost1.81-dev | libboost-dev (>= 1.81)' "$calls" || fail "one Boost only: $(cat "$calls")"
  [ "$(cut -d' ' -f2 "$calls" | tr '\n' ' ')" = "-s update -q " ] || fail "$(cat "$calls")"
  broken='-y' missing=yes install_deps
  [ $status != 0 ] || fail "what cannot be installed is no failure"
  # As where a server of somebody else's packages is gone.
  broken=update missing=yes install_deps
  [ $status = 0 ] || fail "old lists would do"
fi

person
missing=yes install_deps
[ $status = 0 ] || fail "who may not install cannot go on with what is there"
grep -q 'only root may install.*libtbb-dev' "$work/out" || fail "it does not say what is needed"
grep -q -- '-y' "$calls" && fail "installs without the right to"
printf '#!/bin/sh\necho sudo >>"$calls"\nexec "$@"\n' >"$work/bin/sudo"
chmod +x "$work/bin/sudo"
missing=yes install_deps
[ $status = 0 ] && [ "$(grep -c '^sudo$' "$calls")" = 2 ] || fail "not by sudo: $(cat "$calls")"
