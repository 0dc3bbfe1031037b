"""The cases: what each runs, what it is compared with, and the bar."""

import contextlib
import dataclasses
import json
import os
import shlex
import shutil
import statistics

import plot
from disks import FuseDisk, LoopDisk, Problem, Throttle, can_loop, forget
from programs import MemoryGroup, measure

MIB = 1 << 20
SEPARATE_BAR = 1.05  # times one plain read of the input
SHARED_BAR = 1.08  # times reading the input and writing the output, each alone
BUSY_BAR = 0.95
CACHE_SLACK = 64 * MIB  # beyond --memory


@dataclasses.dataclass
class Bench:
    """What all cases need."""

    options: object  # the command line's
    folder: str  # for images, mounts and outputs; goes with the bench
    tools: str  # the folder of sluice and the bench's own programs
    model: str
    imatrix: str | None
    model_bytes: int
    output_bytes: int
    sluice_help: str
    say: object

    def sluice(self, output, io, model=None, memory=None, report=None, spindle=None):
        o = self.options
        words = [o.sluice, "quantize", "--io", io, "--memory", memory or o.memory[0]]
        if self.imatrix:
            words += ["--imatrix", self.imatrix]
        if spindle and "--spindle" in self.sluice_help:
            words += ["--spindle", spindle]
        if report:
            words += ["--report", report]
        return words + [model or self.model, output, o.type, str(o.threads)]

    def peers(self, model, output):
        """[(name, words)] of the programs named on the command line."""
        o = self.options
        values = {"input": model, "output": output, "threads": o.threads, "type": o.type,
                  "imatrix": self.imatrix or ""}
        return [(name, [word.format_map(values) for word in shlex.split(command)])
                for name, command in o.program]


@dataclasses.dataclass
class Row:
    """One program in one case."""

    program: str
    runs: list
    values: dict = dataclasses.field(default_factory=dict)  # column -> text
    report: dict = dataclasses.field(default_factory=dict)  # sluice's own, of one more run
    passed: bool | None = None  # None: there is no bar

    @property
    def failure(self):
        return next((run.failure for run in self.runs if run.failure), None)

    @property
    def seconds(self):
        return statistics.median(run.seconds for run in self.runs)

    def middle_run(self):
        return sorted(self.runs, key=lambda run: run.seconds)[len(self.runs) // 2]


READ = """for file; do dd "if=$file" of=/dev/null bs=4M iflag=direct status=none || exit; done"""


def data_files(model):
    """A model's files of weights: itself, or in a checkpoint's folder its parts."""
    if not os.path.isdir(model):
        return [model]
    return sorted(os.path.join(model, name) for name in os.listdir(model)
                  if name.endswith(".safetensors"))


def model_size(model):
    return sum(map(os.path.getsize, data_files(model)))


def _put_model(bench, folder, copy):
    """The model in a disk's folder, each file brought there by `copy(from, to)`."""
    target = os.path.join(folder, os.path.basename(bench.model))
    if not os.path.isdir(bench.model):
        copy(bench.model, target)
        return
    os.mkdir(target)
    for name in os.listdir(bench.model):
        copy(os.path.join(bench.model, name), os.path.join(target, name))


def _remove(path):
    with contextlib.suppress(FileNotFoundError):
        os.unlink(path)


def _read_report(path):
    try:
        with open(path) as file:
            report = json.load(file)
    except FileNotFoundError:
        return {}
    return {key: value for key, value in report.items() if not isinstance(value, list)}


def _rounds(bench, model, disks, spindle, extra=()):
    """Each program once a round, so that what else the machine does meets all of them alike."""
    o = bench.options
    output = os.path.join(disks[-1].folder, "output")
    report = os.path.join(bench.folder, "report.json")
    group = disks[0].group
    files = data_files(model)
    plan = [("read the input", ["sh", "-c", READ, "sh", *files], None, o.repeats)]
    plan += [(name, words(output), output, o.repeats) for name, words in extra]
    if files == [model]:
        plan += [("cp", ["cp", "--reflink=never", model, output], output, o.repeats)]
    plan += [(f"sluice --io {io}", bench.sluice(output, io, model, spindle=spindle), output,
              o.repeats) for io in o.io]
    plan += [(name, words, output, o.program_repeats) for name, words in bench.peers(model, output)]
    rows = [Row(name, []) for name, *_ in plan]
    for round_number in range(max(o.repeats, o.program_repeats)):
        for row, (name, words, written, repeats) in zip(rows, plan):
            if round_number >= repeats or row.failure:
                continue
            bench.say(f"round {round_number + 1}: {name}")
            _remove(output)
            for file in files:
                forget(file)
            run = measure(name, words, written, disks, group)
            row.runs.append(run)
            if run.failure and not any(name == peer for peer, _ in o.program):
                raise Problem(f"{name}: {run.failure}")
    # A report measures errors, which takes time of its own: what is timed above runs without.
    for io in o.io:
        row = next(row for row in rows if row.program == f"sluice --io {io}")
        bench.say(f"report: {row.program}")
        for path in (output, report):
            _remove(path)
        for file in files:
            forget(file)
        measure(row.program, bench.sluice(output, io, model, report=report, spindle=spindle),
                output, disks, group)
        row.report = _read_report(report)
        if not _waits(row.report):
            break  # an older sluice: nothing to learn from the others' either
    _remove(output)
    return rows


def _waits(report):
    """What the run waited for, where the report tells."""
    keys = {"wait_disk_s": "disk", "wait_cores_s": "cores", "wait_budget_s": "budget"}
    return ", ".join(f"{what} {report[key]:.1f} s" for key, what in keys.items()
                     if isinstance(report.get(key), (int, float)))


def _add_times(row, limit, bar):
    """The columns of a timed case; the bar is sluice's."""
    if row.failure:
        row.values = {"seconds": f"failed: {row.failure}"}
        return
    run = row.middle_run()
    times = [r.seconds for r in row.runs]
    row.values = {"seconds": f"{row.seconds:.2f}", "range": f"{min(times):.2f} to {max(times):.2f}",
                  "of the limit": f"{row.seconds / limit:.3f}",
                  "processor s": f"{run.cpu_seconds:.1f}"}
    if run.seeks is not None:
        row.values["seeks"] = str(run.seeks)
    if _waits(row.report):
        row.values["waited for"] = _waits(row.report)
    if row.program.startswith("sluice"):
        row.passed = row.seconds <= bar * limit
        row.values["bar"] = f"{bar:g}"


def _plot(bench, case, title, rows, limit):
    shown = [(f"{row.program}: {row.seconds:.1f} s, {row.seconds / limit:.2f} of the limit",
              row.middle_run()) for row in rows if row.runs and not row.failure]
    path = os.path.join(bench.options.output, f"{case}.svg")
    subtitle = (f"{bench.model_bytes / 1e9:.2f} GB to {bench.output_bytes / 1e9:.2f} GB of "
                f"{bench.options.type}; each program's median run")
    plot.draw(path, title, subtitle, shown, bench.options.rate)
    bench.say(f"wrote {path}")


def separate(bench):
    """Input on one slow disk, output on another."""
    o = bench.options
    slow_disk = f"{bench.tools}/bench_slow_disk"
    kind = o.backend
    if kind == "auto":
        reason = can_loop()
        kind = "fuse" if reason else "loop"
        if reason:
            bench.say(f"FUSE disks, because {reason}")
    with contextlib.ExitStack() as stack:
        if kind == "loop":
            throttle = Throttle(stack)
            # Room for ext4's own tables, and on the second disk for cp's copy.
            size = int(bench.model_bytes * 1.05) + 128 * MIB
            disks = [LoopDisk(stack, throttle, bench.folder, name, size)
                     for name in ("input", "output")]
            _put_model(bench, disks[0].folder, shutil.copyfile)
            model = os.path.join(disks[0].folder, os.path.basename(bench.model))
            os.sync()
            for disk in disks:
                disk.slow_down(stack, o.rate)
        else:
            disks = [FuseDisk(stack, slow_disk, bench.folder, name, o.rate, 0)
                     for name in ("input", "output")]
            model = _link_model(bench, disks[0])
        rows = _rounds(bench, model, disks, "separate")
        kind = disks[0].kind
    limit = rows[0].seconds
    for row in rows:
        _add_times(row, limit, SEPARATE_BAR)
    title = f"Two disks, {o.rate / 1e6:g} MB/s each ({kind})"
    _plot(bench, "separate", title, rows, limit)
    return title + ". The limit: one plain read of the input.", rows


def shared(bench):
    """Input and output on one spindle."""
    o = bench.options
    with contextlib.ExitStack() as stack:
        disk = FuseDisk(stack, f"{bench.tools}/bench_slow_disk", bench.folder, "disk", o.rate,
                        o.seek)
        model = _link_model(bench, disk)

        def write_words(output):
            return ["dd", "if=/dev/zero", f"of={output}", "bs=4M", f"count={bench.output_bytes}",
                    "iflag=count_bytes", "oflag=direct", "conv=fsync", "status=none"]

        rows = _rounds(bench, model, [disk], "shared",
                       [("write as much as the output", write_words)])
    limit = rows[0].seconds + rows[1].seconds
    for row in rows:
        _add_times(row, limit, SHARED_BAR)
    title = f"One spindle, {o.rate / 1e6:g} MB/s, {o.seek * 1e3:g} ms a seek (FUSE)"
    _plot(bench, "shared", title, rows, limit)
    return title + ". The limit: reading the input, then writing the output, each alone.", rows


def _link_model(bench, disk):
    """Puts the model on a FUSE disk without a copy where that is possible."""
    def link(source, target):
        try:
            os.link(source, target)
        except OSError:
            shutil.copyfile(source, target)

    _put_model(bench, disk.backing, link)
    return os.path.join(disk.folder, os.path.basename(bench.model))


def _busy_share(report, run, threads):
    """(share, how it was found) of the workers' time that was work."""
    if "workers_busy" in report:
        return report["workers_busy"], "report"
    if "compute_s" in report and report.get("wall_s"):
        return report["compute_s"] / (threads * report["wall_s"]), "report, the whole run"
    return run.cpu_seconds / (threads * run.seconds), "processor time, whole run"


def cached(bench):
    """Input in the page cache: are the workers kept busy?"""
    o = bench.options
    output = os.path.join(bench.folder, "output")
    report_path = os.path.join(bench.folder, "report.json")

    def warm():
        for path in data_files(bench.model):
            with open(path, "rb", buffering=0) as file:
                while file.read(4 * MIB):
                    pass

    plan = [(f"sluice --io {io}", bench.sluice(output, io), o.repeats) for io in o.io]
    plan += [(name, words, o.program_repeats) for name, words in bench.peers(bench.model, output)]
    rows = [Row(name, []) for name, *_ in plan]
    for round_number in range(max(o.repeats, o.program_repeats)):
        for row, (name, words, repeats) in zip(rows, plan):
            if round_number >= repeats or row.failure:
                continue
            bench.say(f"round {round_number + 1}: {name}")
            _remove(output)
            warm()
            row.runs.append(measure(name, words, output))
    for row, io in zip(rows, o.io):
        # Measuring errors takes time of its own, so what is timed above runs without a report.
        bench.say(f"report: {row.program}")
        for path in (output, report_path):
            _remove(path)
        warm()
        run = measure(row.program, bench.sluice(output, io, report=report_path), output)
        if run.failure:
            raise Problem(f"{row.program}: {run.failure}")
        row.report = _read_report(report_path)
        share, source = _busy_share(row.report, run, o.threads)
        row.passed = share >= BUSY_BAR
        row.values = {"busy workers": f"{share:.1%}", "from": source, "bar": f"{BUSY_BAR:.0%}"}
    _remove(output)
    for row in rows:
        if row.failure:
            row.values = {"seconds": f"failed: {row.failure}"}
            continue
        run = row.middle_run()
        row.values = {"seconds": f"{row.seconds:.2f}",
                      "processor time": f"{run.cpu_seconds / (o.threads * run.seconds):.1%}",
                      **row.values}
    return f"Input in the page cache, {o.threads} threads.", rows


def memory(bench):
    """What a run holds, for each budget and way of reading, from a cold cache."""
    o = bench.options
    output = os.path.join(bench.folder, "output")
    report_path = os.path.join(bench.folder, "report.json")
    rows = []
    for budget in o.memory_cases:
        for io in o.io:
            name = f"sluice --memory {budget} --io {io}"
            bench.say(name)
            for path in (output, report_path):
                _remove(path)
            for file in data_files(bench.model):
                forget(file)
            with contextlib.ExitStack() as stack:
                group = MemoryGroup(stack)
                run = measure(name, bench.sluice(output, io, memory=budget, report=report_path),
                              output, memory_group=group if group.folder else None,
                              files=(*data_files(bench.model), output + ".part"))
            if run.failure:
                raise Problem(f"{name}: {run.failure}")
            rows.append(_memory_row(run, _read_report(report_path), budget))
    _remove(output)
    return ("Memory. Page cache: the input's and the output's, looked at 100 times a second. "
            "Charged: the most that the program's control group held, all told."), rows


def _memory_row(run, report, budget):
    allowed = size_of(budget)
    anon = report.get("peak_anon_bytes", run.peak_anon)
    checks = {"anonymous": (anon, allowed), "page cache": (run.peak_cache, allowed + CACHE_SLACK)}
    if run.peak_group is not None:
        checks["charged"] = (run.peak_group, allowed + CACHE_SLACK)
    row = Row(run.name, [run], report=report)
    row.values = {"seconds": f"{run.seconds:.2f}"}
    for column, (used, most) in checks.items():
        mark = "" if used <= most else " ✗"
        row.values[column] = f"{used / MIB:.0f} MiB of {most / MIB:.0f}{mark}"
    row.passed = all(used <= most for used, most in checks.values())
    return row


def size_of(text):
    """Bytes from '512M': K, M and G are powers of 1024, as in sluice's --memory."""
    units = {"K": 1 << 10, "M": 1 << 20, "G": 1 << 30}
    text = text.upper().removesuffix("B").removesuffix("I")
    number, unit = (text[:-1], units[text[-1]]) if text[-1:] in units else (text, 1)
    return int(float(number) * unit)


CASES = {"separate": separate, "shared": shared, "cached": cached, "memory": memory}
