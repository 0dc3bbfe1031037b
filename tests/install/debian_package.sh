# CPack's Debian packages: contents, dependencies, and that the program runs from them.
. "$(dirname "$0")/common.sh"
need cpack
need dpkg-deb
need dpkg-shlibdeps
need file

# Of which xz would take nine tenths of the time; the packages of aarch64/packages are of it.
(cd "$work" && cpack -G DEB --config "$SLUICE_BUILD/CPackConfig.cmake" -D CPACK_DEBIAN_COMPRESSION_TYPE=gzip \
  -B "$work/packages") >"$work/log" 2>&1 || { cat "$work/log"; exit 1; }
program=$(echo "$work"/packages/sluice_*.deb)
library=$(echo "$work"/packages/libsluice[0-9]*.deb)
development=$(echo "$work"/packages/libsluice-dev_*.deb)

for package in "$program" "$library"; do
  depends=$(dpkg-deb -f "$package" Depends)
  for needed in libssl3 libtbb12 libfmt9 liburing2 libxxhash0 libdeflate0 libpcre2-8-0 libyaml-cpp0.7 zlib1g libc6 libstdc++6; do
    [[ $depends == *$needed* ]] || fail "$package does not depend on $needed: $depends"
  done
done
depends=$(dpkg-deb -f "$development" Depends)
for needed in libtbb-dev "$(dpkg-deb -f "$library" Package) (= $(dpkg-deb -f "$library" Version))"; do
  [[ $depends == *$needed* ]] || fail "libsluice-dev does not depend on $needed: $depends"
done

dpkg-deb -c "$program" >"$work/contents"
for file in usr/bin/sluice usr/share/man/man1/sluice.1.gz usr/share/doc/sluice/copyright \
  usr/share/bash-completion/completions/sluice usr/share/zsh/vendor-completions/_sluice \
  usr/share/fish/vendor_completions.d/sluice.fish; do
  grep -q " ./$file\$" "$work/contents" || fail "not in the package: $file"
done
! grep -qE 'include/|\.a$|\.so|/cmake/' "$work/contents" || fail "the program's package has parts for developers"
! awk '$2 != "root/root"' "$work/contents" | grep . || fail "not all files belong to root"

dpkg-deb -c "$development" >"$work/contents"
for file in include/sluice/quantize.h include/sluice/sluice.h libsluice.a 'libsluice.so -> libsluice.so.*' \
  sluiceConfig.cmake sluice.pc; do
  grep -q "/$file\$" "$work/contents" || fail "not in libsluice-dev: $file"
done
dpkg-deb -c "$library" >"$work/contents"
grep -q '/libsluice\.so\.[0-9.]*$' "$work/contents" || fail "no library in its package"
! grep -vE '/$|/libsluice\.so\.[0-9.]*( ->.*)?$' "$work/contents" || fail "and more"

dpkg-deb -x "$program" "$work/root"
[ "$("$work/root/usr/bin/sluice" --version)" = "$("$SLUICE_BUILD/bin/sluice" --version)" ]
