# A binding: Python's ctypes on the shared library, by the installed example.
. "$(dirname "$0")/common.sh"
need python3

library=$SLUICE_PREFIX/$SLUICE_LIBDIR/libsluice.so
example=$SLUICE_PREFIX/share/doc/sluice/tools/examples/quantize.py
cp "$example" "$here/python_test.py" "$work"
PYTHONDONTWRITEBYTECODE=1 python3 "$work/python_test.py" "$library" "$model" "$imatrix" "$work"
"$SLUICE_BUILD/bin/sluice" quantize --quiet --imatrix "$imatrix" "$model" "$work/expected.gguf" IQ1_M
cmp "$work/expected.gguf" "$work/out.gguf"
python3 "$example" "$library" "$model" "$work/example.gguf" IQ1_M "$imatrix" >"$work/log" 2>&1 || fail "$(cat "$work/log")"
cmp "$work/expected.gguf" "$work/example.gguf"
