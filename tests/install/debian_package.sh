# CPack's Debian packages: contents, dependencies, and that the program runs from them.
. "$(dirname "$0")/common.sh"
need cpack
need dpkg-deb
need dpkg-shlibdeps
need file

(cd "$work" && cpack -G DEB --config "$SLUICE_BUILD/CPackConfig.cmake" -B "$work/packages") >"$work/log" 2>&1 ||
  { cat "$work/log"; exit 1; }
program=$(echo "$work"/packages/sluice_*.deb)
development=$(echo "$work"/packages/libsluice-dev_*.deb)

depends=$(dpkg-deb -f "$program" Depends)
for library in libtbb12 libfmt9 liburing2 libxxhash0 libpcre2-8-0 zlib1g libc6 libstdc++6; do
  [[ $depends == *$library* ]] || fail "the package does not depend on $library: $depends"
done
[[ $(dpkg-deb -f "$development" Depends) == *libtbb-dev* ]] || fail "libsluice-dev lacks libtbb-dev"

dpkg-deb -c "$program" >"$work/contents"
for file in usr/bin/sluice usr/share/man/man1/sluice.1.gz usr/share/doc/sluice/copyright \
  usr/share/bash-completion/completions/sluice usr/share/zsh/vendor-completions/_sluice \
  usr/share/fish/vendor_completions.d/sluice.fish; do
  grep -q " ./$file\$" "$work/contents" || fail "not in the package: $file"
done
! grep -qE 'include/|\.a$|cmake' "$work/contents" || fail "the program's package has parts for developers"
! awk '$2 != "root/root"' "$work/contents" | grep . || fail "not all files belong to root"

dpkg-deb -c "$development" >"$work/contents"
for file in include/sluice/quantize.h include/sluice/sluice.h libsluice.a sluiceConfig.cmake sluice.pc; do
  grep -q "/$file\$" "$work/contents" || fail "not in libsluice-dev: $file"
done

dpkg-deb -x "$program" "$work/root"
[ "$("$work/root/usr/bin/sluice" --version)" = "$("$SLUICE_BUILD/bin/sluice" --version)" ]
