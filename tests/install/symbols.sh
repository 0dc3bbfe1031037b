# The shared library shows the C interface and what the public headers declare, and nothing else.
. "$(dirname "$0")/common.sh"

nm -D --defined-only "$SLUICE_SHARED" | c++filt >"$work/symbols"
# Strip the address and the kind.
sed -E 's/^[0-9a-f]+ . //' "$work/symbols" >"$work/names"
for wanted in sluice_quantize sluice_plan sluice_option_at 'sluice::quantize(' 'sluice::plan(' 'sluice::verify(' \
  'sluice::gguf::parse_header(' 'typeinfo for sluice::Error'; do
  grep -qF "$wanted" "$work/names" || fail "not exported: $wanted"
done

# Names that may be seen: those that a public header has as a word.
allowed() {
  while read -r name; do
    plain=${name#typeinfo for }; plain=${plain#typeinfo name for }; plain=${plain#vtable for }
    if [[ $plain =~ ^sluice_[a-z_]+$ ]]; then
      grep -q "\b$plain\b" "$SLUICE_SOURCE/include/sluice/sluice.h" && continue
    elif [[ $plain =~ ^sluice::([a-z]+::)?([A-Za-z]+::)?~?([a-z_A-Z]+)(\[abi:[a-z0-9]+\])?(\(.*)?$ ]]; then
      word=${BASH_REMATCH[3]}
      grep -qw "$word" "$SLUICE_SOURCE"/include/sluice/*.h && continue
    fi
    echo "$name"
  done
}
allowed <"$work/names" >"$work/others"
[ ! -s "$work/others" ] || fail "exported, though in no public header: $(cat "$work/others")"
# The check sees what is not allowed.
[ "$(printf 'sluice::io::pread_all(int)\nstd::vector<int>::~vector()\nsluice_hidden\n' | allowed | wc -l)" = 3 ]
