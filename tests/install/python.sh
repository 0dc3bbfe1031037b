# A binding: Python's ctypes on the shared library.
. "$(dirname "$0")/common.sh"
need python3

cp "$SLUICE_SOURCE/tools/examples/quantize.py" "$here/python_test.py" "$work"
PYTHONDONTWRITEBYTECODE=1 python3 "$work/python_test.py" "$SLUICE_SHARED" "$model" "$imatrix" "$work"
"$SLUICE_BUILD/bin/sluice" quantize --quiet --imatrix "$imatrix" "$model" "$work/expected.gguf" IQ1_M
cmp "$work/expected.gguf" "$work/out.gguf"
