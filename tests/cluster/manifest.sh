# The manifest is a Job by Kubernetes' own schema, says the same number twice, and asks for options that
# there are.
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"
trap 'rm -rf "$work"' EXIT
# A Python from elsewhere does not see the distribution's packages.
for python in python3 /usr/bin/python3; do
  if "$python" -c 'import jsonschema, yaml' 2>/dev/null; then break; fi
  [ "$python" = python3 ] || missing "this machine's Python has no yaml, or no jsonschema"
done
"$python" - "$cluster/indexed-job.yaml" "$SLUICE_SOURCE/tests/data/kubernetes/job-batch-v1.json" \
  > "$work/words" <<'PYTHON'
import copy, json, jsonschema, sys, yaml
job = yaml.safe_load(open(sys.argv[1]))
validator = jsonschema.Draft7Validator(json.load(open(sys.argv[2])))
validator.validate(job)
# The schema is one that tells: a name that is none, and what is not a number.
for key, value in {"completion": 8, "parallelism": "8"}.items():
    wrong = copy.deepcopy(job)
    wrong["spec"][key] = value
    assert not validator.is_valid(wrong), key
assert (job["apiVersion"], job["kind"]) == ("batch/v1", "Job")
spec = job["spec"]
assert spec["completionMode"] == "Indexed" and spec["parallelism"] <= spec["completions"]
pod = spec["template"]["spec"]
assert pod["restartPolicy"] == "Never"  # which backoffLimitPerIndex demands
[container] = pod["containers"]
environment = {each["name"]: each["value"] for each in container["env"]}
assert environment["JOB_COMPLETIONS"] == str(spec["completions"])
mounts = {each["name"] for each in container["volumeMounts"]}
assert mounts == {each["name"] for each in pod["volumes"]}
print("\n".join(container["command"][1:] + container["args"]))
PYTHON
mapfile -t words < "$work/words"
make_one
mkdir "$work/parts"
words=("${words[@]/\/data\/model.gguf/$model}")
words=("${words[@]/\/data\/imatrix.gguf/${arguments[1]}}")
words=("${words[@]/\/data\/out.gguf/$work/parts/out.gguf}")
words=("${words[@]/--split-max-size=8G/--split-max-tensors=8}")
for index in 3 0 7 2 1 6 5 4; do
  JOB_COMPLETION_INDEX=$index JOB_COMPLETIONS=8 "$SLUICE" "${words[@]}" -q
done
expect_the_same
