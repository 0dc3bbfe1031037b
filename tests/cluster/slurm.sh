# An array of a real Slurm: munged, slurmctld and two slurmd in a folder of their own, on loopback. One
# node is killed in the middle, with its task, which is requeued and goes on on the other.
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"
PATH=$PATH:/usr/sbin
for program in munged mungekey slurmctld slurmd sbatch scontrol squeue; do need $program; done
[ "$(id -u)" -eq 0 ] || missing "only root may start Slurm's daemons here"

started=()
# Processes of this test's Slurm: they have its configuration in their environment.
of_this_slurm() {
  local folder
  for folder in /proc/[0-9]*; do
    if grep -qzx "SLURM_CONF=$work/slurm.conf" "$folder/environ" 2>/dev/null &&
      grep -qzx "${1:-SLURM_CONF=.*}" "$folder/environ" 2>/dev/null; then
      echo "${folder#/proc/}"
    fi
  done
}
end_all() {
  local process
  trap - EXIT
  kill "${started[@]}" 2>/dev/null || true
  for process in "${started[@]}"; do
    timeout 5 tail --pid "$process" -f /dev/null || kill -KILL "$process" 2>/dev/null || true
  done
  for process in $(of_this_slurm); do
    [ "$process" = $$ ] || kill -KILL "$process" 2>/dev/null || true
  done
  rm -rf "$work"
}
trap end_all EXIT

port() {
  python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
}
start() {
  "$@" >"$work/daemon.$((${#started[@]})).log" 2>&1 &
  started+=($!)
}
# Waits until a command succeeds, a minute at most.
until_true() {
  local tries
  for ((tries = 0; tries < 300; ++tries)); do
    if "$@" >/dev/null 2>&1; then return; fi
    sleep 0.2
  done
  tail -n 20 "$work"/*.log >&2
  fail "waited in vain for: $*"
}

mkdir -p "$work/state" "$work/spool1" "$work/spool2" "$work/parts"
chmod 755 "$work"
mungekey --create --keyfile "$work/munge.key"
start munged --foreground --force --socket "$work/munge.socket" --key-file "$work/munge.key" \
  --pid-file "$work/munge.pid" --log-file "$work/munge.log" --seed-file "$work/munge.seed"
until_true test -S "$work/munge.socket"

host=$(hostname -s)
cat > "$work/slurm.conf" <<CONF
ClusterName=parts
SlurmctldHost=$host(127.0.0.1)
SlurmUser=root
AuthType=auth/munge
AuthInfo=socket=$work/munge.socket
CredType=cred/munge
SlurmctldPort=$(port)
StateSaveLocation=$work/state
SlurmdSpoolDir=$work/spool%n
SlurmctldPidFile=$work/slurmctld.pid
SlurmdPidFile=$work/slurmd.%n.pid
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
SlurmdParameters=config_overrides
SwitchType=switch/none
MpiDefault=none
ReturnToService=2
SlurmdTimeout=5
BatchStartTimeout=5
MessageTimeout=5
NodeName=1 NodeHostname=$host NodeAddr=127.0.0.1 Port=$(port) CPUs=2 RealMemory=1000 State=UNKNOWN
NodeName=2 NodeHostname=$host NodeAddr=127.0.0.1 Port=$(port) CPUs=2 RealMemory=1000 State=UNKNOWN
PartitionName=all Nodes=1,2 Default=YES MaxTime=INFINITE State=UP
CONF
conf() { SLURM_CONF=$work/slurm.conf "$@"; }
start env SLURM_CONF="$work/slurm.conf" slurmctld -D -c
start env SLURM_CONF="$work/slurm.conf" slurmd -D -N 1
node=${started[-1]}
start env SLURM_CONF="$work/slurm.conf" slurmd -D -N 2
both_idle() {
  [ "$(conf sinfo -h -N -t idle | wc -l)" -eq 2 ]
}
until_true both_idle

make_one
# Says that it has begun; the first task's first try waits to be killed, in the middle of its part.
cat > "$work/slow-sluice" <<PROGRAM
#!/bin/bash
if [ "\$1" = quantize ]; then
  touch "$work/begun.\$SLURM_ARRAY_TASK_ID.\${SLURM_RESTART_COUNT:-0}"
  if [ "\$SLURMD_NODENAME" = 1 ] && mkdir "$work/first-of-node-1" 2>/dev/null; then
    "$SLUICE" "\$@" &
    sleep 0.05
    kill -KILL \$! 2>/dev/null
    touch "$work/in-the-middle"
    sleep 600
  fi
fi
exec "$SLUICE" "\$@"
PROGRAM
chmod +x "$work/slow-sluice"

cd "$work"
SLURM_CONF=$work/slurm.conf SLUICE=$work/slow-sluice "$cluster/slurm-array.sh" 4 "$work/parts/out-00001-of-00010.gguf" \
  --output="$work/job-%A-%a.log" --cpus-per-task=2 -- \
  "${arguments[@]}" "$model" "$work/parts/out.gguf" IQ1_M | tee "$work/submitted"
array=$(sed -n 's/^array \([0-9]*\),.*/\1/p' "$work/submitted")
verify=$(sed -n 's/.*then \([0-9]*\) verifies.*/\1/p' "$work/submitted")

until_true test -e "$work/in-the-middle"
# With a machine all of its processes go at once: before a task, what would tell of its end.
kill -KILL "$node"
tasks=$(of_this_slurm SLURMD_NODENAME=1)
for task in $tasks; do
  parent=$(ps -o ppid= -p "$task" | tr -d ' ')
  case $(ps -o comm= -p "$parent") in slurmstepd*) kill -KILL "$parent" ;; esac
done
kill -KILL $tasks 2>/dev/null || true
conf scontrol update NodeName=1 State=DOWN Reason="its machine went away"
# A requeued task would wait for two minutes, in case its node comes back.
requeued() {
  conf squeue -h -r -j "$array" -t PENDING -o %r | grep -q BeginTime
}
until_true requeued
for task in $(conf squeue -h -r -j "$array" -t PENDING -o '%i %r' | sed -n 's/ BeginTime$//p'); do
  conf scontrol update JobId="$task" StartTime=now
done

ended() {
  conf scontrol show job "$verify" | grep -qE 'JobState=(COMPLETED|FAILED|CANCELLED|TIMEOUT)'
}
until_true ended
conf scontrol show job "$verify" | grep -q JobState=COMPLETED || {
  tail -n 5 "$work"/job-*.log >&2
  fail "the job that verifies has not succeeded"
}
ls "$work"/begun.*.1 >/dev/null || fail "no task was requeued"
expect_the_same
