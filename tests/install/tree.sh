# `cmake --install` builds what is missing, puts each thing in its place, and the program runs from there.
. "$(dirname "$0")/common.sh"

rm -rf "$SLUICE_PREFIX" "$SLUICE_BUILD"/texts/{sluice.1,_sluice} "$SLUICE_BUILD"/libsluice.*
cmake --install "$SLUICE_BUILD" --prefix "$SLUICE_PREFIX" >"$work/log" || { cat "$work/log"; exit 1; }
for file in bin/sluice share/man/man1/sluice.1 share/bash-completion/completions/sluice \
  share/zsh/site-functions/_sluice share/fish/vendor_completions.d/sluice.fish \
  share/doc/sluice/{README.md,CHECKPOINTS.md,ERRORS.md,OPTIONS.md,copyright} include/sluice/{quantize.h,sluice.h} \
  "$SLUICE_LIBDIR"/libsluice.{a,so} "$SLUICE_LIBDIR"/pkgconfig/sluice.pc \
  "$SLUICE_LIBDIR"/cmake/sluice/sluice{Config,ConfigVersion,Targets}.cmake; do
  [ -s "$SLUICE_PREFIX/$file" ] || fail "missing: $file"
done
# What the texts lead to is there.
links() { (cd "$1" && grep -roP --include=*.md '\]\(\K[^)#:]+(?=[)#])' . | sort -u); }
links "$SLUICE_PREFIX/share/doc/sluice" >"$work/links"
grep -q README.md "$work/links" || fail "no links were found"
while IFS=: read -r text link; do
  [ -e "$SLUICE_PREFIX/share/doc/sluice/$(dirname "$text")/$link" ] || fail "$text leads to $link: not installed"
done <"$work/links"
# Nothing of this machine may stay in what is to work on others.
if grep -rlF -e "$SLUICE_SOURCE" -e "$SLUICE_BUILD" "$SLUICE_PREFIX"/{share,include} \
  "$SLUICE_PREFIX/$SLUICE_LIBDIR"/{cmake,pkgconfig}; then
  fail "these files name the build's folders"
fi
"$SLUICE_PREFIX/bin/sluice" demo --quiet "$work/demo"
[ -s "$work/demo/demo-IQ1_M.gguf" ]
