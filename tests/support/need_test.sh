# What a script needs and a machine lacks is told: skipped, and failed in CI.
. "$(dirname "$0")/need.sh"

status_of() {
  status=0
  (CI=$1 need "$2") >/dev/null 2>&1 || status=$?
  echo $status
}

set -e
[ "$(status_of '' no-such-program)" = 77 ]
[ "$(status_of true no-such-program)" = 1 ]
[ "$(status_of true sh)" = 0 ]
(CI='' need no-such-program) | grep -q 'skipped: this machine has no no-such-program'
