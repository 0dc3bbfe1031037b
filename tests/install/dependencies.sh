# tools/install-deps, with stand-ins for os-release and the systems' package managers: what it asks for, and
# what it does without.
. "$(dirname "$0")/common.sh"

mkdir "$work/bin"
for program in bash cat env grep id sed sort xargs; do ln -s "$(command -v $program)" "$work/bin"; done
# on TEXT: from here the machine's os-release has these lines.
export OS_RELEASE=$work/os-release
on() { printf "$1" >"$OS_RELEASE"; }
on 'ID=debian\n'
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

for like in 'ID=ubuntu\nID_LIKE=debian' 'ID=linuxmint\nID_LIKE="ubuntu debian"' 'ID=debian'; do
  on "$like\n"
  install_deps
  grep -q 'no apt-get' "$work/out" || fail "not by Debian's way: $like: $(cat "$work/out")"
done

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

# What asks whether a package is there, and what installs it, on other systems. $there: what is installed.
cat >"$work/bin/rpm" <<'E2'
#!/usr/bin/env bash
[[ " $there " == *" ${@: -1} "* ]]
E2
cat >"$work/bin/dnf" <<'E2'
#!/usr/bin/env bash
echo "$(basename "$0") $*" >>"$calls"
[ -z "${broken:-}" ]
E2
cat >"$work/bin/pacman" <<'E2'
#!/usr/bin/env bash
if [ "$1" = -T ]; then
  for name in "${@:2}"; do [[ " $there " == *" $name "* ]] || echo "$name"; done
  exit 127
fi
echo "$(basename "$0") $*" >>"$calls"
[ -z "${broken:-}" ]
E2
chmod +x "$work/bin"/{rpm,dnf,pacman}
ln -s "$(command -v basename)" "$work/bin"

# asks SYSTEM MANAGER NAME NAME CURE: on that system it installs, with that manager, all that is missing and
# nothing else; NAME is one of what building needs, and one of what only tests need.
asks() {
  local all
  there='' install_deps --tests
  [ $status = 0 ] || fail "$1: status $status: $(cat "$work/out")"
  grep -q "^$2 .* $3 " "$calls" && grep -q " $4\( \|$\)" "$calls" || fail "$1: $(cat "$calls")"
  all=$(sed -n "s/^sluice: installing //p" "$work/out" | sed 's/,//g')
  there=$all install_deps --tests
  [ $status = 0 ] && [ ! -s "$work/out" ] && [ ! -s "$calls" ] || fail "$1: all is there: $(cat "$work/out")"
  there=${all/ $3 / } install_deps --tests
  [ "$(grep -c . "$calls")" = 2 ] && grep -q "^$2 .* $3\$" "$calls" || fail "$1: not $3 alone: $(cat "$calls")"
  there='' broken=yes install_deps
  [ $status != 0 ] && grep -q "$5" "$work/out" || fail "$1: what cannot be installed: $(cat "$work/out")"
  mv "$work/bin/$2" "$work/kept"
  there='' install_deps
  [ $status = 0 ] && grep -q "no $2.*$3" "$work/out" || fail "$1: without $2: $(cat "$work/out")"
  mv "$work/kept" "$work/bin/$2"
}
for like in 'ID=fedora' 'ID="rocky"\nID_LIKE="rhel centos fedora"'; do
  on "$like\n"
  asks "$like" dnf tbb-devel gtest-devel EPEL
done
for like in 'ID=arch' 'ID=manjaro\nID_LIKE=arch'; do
  on "$like\n"
  asks "$like" pacman onetbb gtest 'pacman -Syu'
done

for like in 'ID=void' ''; do
  on "$like"
  install_deps
  [ $status = 0 ] && grep -q "none whose packages are known.*Debian's names: g++" "$work/out" ||
    fail "another system: $(cat "$work/out")"
done

# Each need has a name in each system, and what building needs is there.
sed -n "/^needs='/,/'\$/p; /^for_tests='/,/'\$/p" "$SLUICE_SOURCE/tools/install-deps" | sed 's/^[a-z_]*=//' >"$work/table"
[ "$(grep -c . "$work/table")" -ge 30 ] || fail "no table"
! grep -vE "^ *'?[a-z][^;]+; +([a-z][a-z0-9+-]+|-) +; ([a-z][a-z0-9+-]+|-)'?\$" "$work/table" || fail "no name in one of the systems"
! sed -n "/^needs='/,/'\$/p" "$SLUICE_SOURCE/tools/install-deps" | grep -E '; +-( |$)' || fail "cannot be built in all systems"
