# Every kernel, portable and NEON, makes the bytes that those of this machine make.
. "$(dirname "$0")/common.sh"
"$SLUICE_BUILD/bin/kernel_sums" >"$work/here"
aarch64 build/aarch64/bin/kernel_sums >"$work/there"
diff "$work/here" "$work/there" || fail "aarch64 makes something else (on the right)"
[ "$(wc -l <"$work/here")" -gt 50 ] || fail "hardly any kernels were compared"
