# The Debian packages for arm64: for which architecture they are, what they depend on, and that the
# program runs from its package.
. "$(dirname "$0")/common.sh"
need cpack
need dpkg-deb
need file

cpack -G DEB --config build/aarch64/CPackConfig.cmake -B "$work/packages" >"$work/log" 2>&1 ||
  { cat "$work/log"; exit 1; }
for package in sluice libsluice[0-9]* libsluice-dev; do
  file=$(echo "$work"/packages/${package}_*.deb)
  [ "$(dpkg-deb -f "$file" Architecture)" = arm64 ] || fail "not for arm64: $file"
  dpkg-deb -x "$file" "$work/root"
done
for package in sluice libsluice[0-9]*; do
  depends=$(dpkg-deb -f "$work"/packages/${package}_*.deb Depends)
  for needed in libssl3 'libtbb12 (>= 2021.8' libfmt9 liburing2 libxxhash0 libdeflate0 libpcre2-8-0 libyaml-cpp0.7 zlib1g \
    'libc6 (>= 2.36)' libstdc++6; do
    [[ $depends == *$needed* ]] || fail "$package does not depend on $needed: $depends"
  done
done
for file in usr/bin/sluice usr/lib/libsluice.so; do
  file -L "$work/root/$file" | grep -q 'ELF 64-bit.*ARM aarch64.*stripped' || fail "$(file -L "$work/root/$file")"
done
[ "$(aarch64 "$work/root/usr/bin/sluice" --version)" = "$("$SLUICE_BUILD/bin/sluice" --version)" ] ||
  fail "the program of the package does not say its version"
