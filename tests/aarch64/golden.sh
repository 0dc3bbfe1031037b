# Every decoder, portable and NEON, reads blocks as the formats' authors' programs did.
. "$(dirname "$0")/common.sh"
need python3
python3 - "$work" <<'END'
import glob, json, pathlib, struct, sys
for path in map(pathlib.Path, glob.glob("tests/data/golden/*.json")):
    blocks = json.loads(path.read_text())["blocks"]
    to = pathlib.Path(sys.argv[1], path.stem)
    to.with_suffix(".bin").write_bytes(b"".join(bytes.fromhex(block["hex"]) for block in blocks))
    values = [value for block in blocks for value in block["values"]]
    to.with_suffix(".f32").write_bytes(struct.pack(f"<{len(values)}f", *values))
END
golden=("$work"/*.bin tests/data/golden_rows/*.bin)
[ "${#golden[@]}" -gt 40 ] || fail "hardly any types are compared: ${golden[*]}"
aarch64 build/aarch64/bin/decode_golden "${golden[@]}"
