# `cmake --install` puts each thing in its place, and the program runs from there.
. "$(dirname "$0")/common.sh"

rm -rf "$SLUICE_PREFIX"
cmake --install "$SLUICE_BUILD" --prefix "$SLUICE_PREFIX" >"$work/log" || { cat "$work/log"; exit 1; }
for file in bin/sluice share/man/man1/sluice.1 share/bash-completion/completions/sluice \
  share/zsh/site-functions/_sluice share/fish/vendor_completions.d/sluice.fish \
  share/doc/sluice/{README.md,ERRORS.md,copyright} include/sluice/{quantize.h,sluice.h} \
  "$SLUICE_LIBDIR"/libsluice.a "$SLUICE_LIBDIR"/pkgconfig/sluice.pc \
  "$SLUICE_LIBDIR"/cmake/sluice/sluice{Config,ConfigVersion,Targets}.cmake; do
  [ -s "$SLUICE_PREFIX/$file" ] || fail "missing: $file"
done
# Nothing of this machine may stay in what is to work on others.
if grep -rlF -e "$SLUICE_SOURCE" -e "$SLUICE_BUILD" "$SLUICE_PREFIX"/{share,include} \
  "$SLUICE_PREFIX/$SLUICE_LIBDIR"/{cmake,pkgconfig}; then
  fail "these files name the build's folders"
fi
"$SLUICE_PREFIX/bin/sluice" demo --quiet "$work/demo"
[ -s "$work/demo/demo-IQ1_M.gguf" ]
