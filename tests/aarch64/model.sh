# A whole run with the NEON kernels makes the file that a run here makes, and falls back where there is no
# io_uring: qemu has none.
. "$(dirname "$0")/common.sh"
cp tests/data/model/tiny-llama-f16.gguf "$work/model.gguf"
sync "$work/model.gguf"
dd if="$work/model.gguf" iflag=nocache count=0 status=none  # what is in the page cache needs no reading
quantize=(quantize --imatrix tests/data/imatrix/tiny-llama.imatrix.gguf "$work/model.gguf")

aarch64 build/aarch64/bin/sluice "${quantize[@]}" --io async "$work/there.gguf" IQ1_M >"$work/said" 2>&1 ||
  { cat "$work/said"; exit 1; }
"$SLUICE_BUILD/bin/sluice" "${quantize[@]}" --quiet "$work/here.gguf" IQ1_M
cmp "$work/here.gguf" "$work/there.gguf" || fail "aarch64 makes another file"
for said in 'io_uring is not available' '(neon kernels)'; do
  grep -qF "$said" "$work/said" || fail "it does not say: $said"
done
