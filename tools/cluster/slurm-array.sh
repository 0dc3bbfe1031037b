#!/usr/bin/env bash
# One output made by a Slurm array, a part a task, and checked when all are done:
#
#   tools/cluster/slurm-array.sh PARTS OUT.gguf [sbatch's options...] -- ARGUMENTS OF sluice quantize...
#   tools/cluster/slurm-array.sh 8 /nfs/out.gguf --cpus-per-task=16 --mem=4G -- \
#       --imatrix /nfs/imatrix.gguf --split-max-size 8G --memory 2G /nfs/model.gguf /nfs/out.gguf IQ1_M
#
# Every node must see the same files under the same names. A task that is requeued, or submitted again, goes on where
# it was. SLUICE names the program, if it is not in the PATH.
set -euo pipefail

if [ $# -lt 3 ]; then
  sed -n '2,9s/^# \{0,1\}//p' "${BASH_SOURCE[0]}" >&2
  exit 2
fi
parts=$1 output=$2
shift 2
options=()
while [ $# -gt 0 ] && [ "$1" != -- ]; do
  options+=("$1")
  shift
done
[ $# -gt 1 ] || { echo "nothing follows --: give the arguments of sluice quantize there" >&2; exit 2; }
shift
sluice=${SLUICE:-sluice}

# SLURM_CPUS_PER_TASK is what the task may use; without it sluice takes the cores that it sees.
make=$(printf '%q ' "$sluice" quantize --part auto "$@")
array=$(sbatch --parsable --requeue --array="1-$parts" --job-name=sluice "${options[@]}" \
  --wrap "exec $make \${SLURM_CPUS_PER_TASK:+--threads \$SLURM_CPUS_PER_TASK}")
check=$(sbatch --parsable --dependency="afterok:${array%%;*}" --job-name=sluice-verify "${options[@]}" \
  --wrap "exec $(printf '%q ' "$sluice" verify "$output")")
echo "array ${array%%;*}, then ${check%%;*} verifies $output"
