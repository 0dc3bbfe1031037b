# For test scripts of sh: what they do without.

# Ends a test for which the machine lacks something: skipped (status 77), and failed in CI, for there
# nobody reads what was skipped.
missing() {
  if [ "${CI:-}" = true ]; then
    echo "in CI nothing may be missing: $1" >&2
    exit 1
  fi
  echo "skipped: $1"
  exit 77
}

# Needs a program.
need() {
  command -v "$1" >/dev/null || missing "this machine has no $1"
}
