"""Runs a program and watches it: time, bytes that the disks move, memory, pages in the cache."""

import ctypes
import dataclasses
import mmap
import os
import subprocess
import threading
import time

PAGE = mmap.PAGESIZE
_libc = ctypes.CDLL(None, use_errno=True)


@dataclasses.dataclass
class Run:
    name: str
    seconds: float = 0  # from the start until the output is on the disk
    cpu_seconds: float = 0
    samples: list = dataclasses.field(default_factory=list)  # (seconds, bytes read, bytes written)
    peak_anon: int = 0
    peak_cache: int = 0
    peak_group: int | None = None
    seeks: int | None = None
    failure: str | None = None


class _CachestatRange(ctypes.Structure):
    _fields_ = [("offset", ctypes.c_uint64), ("length", ctypes.c_uint64)]


class _Cachestat(ctypes.Structure):
    _fields_ = [(name, ctypes.c_uint64)
                for name in ("cache", "dirty", "writeback", "evicted", "recently_evicted")]


def _cached_bytes_by_mincore(descriptor):
    size = os.fstat(descriptor).st_size
    if size == 0:
        return 0
    # A private mapping that may be written: else Python gives out no address. Nothing is written.
    with mmap.mmap(descriptor, size, flags=mmap.MAP_PRIVATE,
                   prot=mmap.PROT_READ | mmap.PROT_WRITE) as mapping:
        pages = (ctypes.c_ubyte * -(-size // PAGE))()
        anchor = ctypes.c_char.from_buffer(mapping)
        _libc.mincore(ctypes.c_void_p(ctypes.addressof(anchor)), ctypes.c_size_t(size), pages)
        del anchor
    return sum(page & 1 for page in bytes(pages)) * PAGE


def cached_bytes(path):
    """How much of a file is in the page cache: cachestat (Linux 6.5), else mincore."""
    try:
        descriptor = os.open(path, os.O_RDONLY)
    except FileNotFoundError:
        return 0
    try:
        whole = _CachestatRange(0, 0)
        answer = _Cachestat()
        number = 451  # cachestat has this number on all architectures
        if _libc.syscall(number, descriptor, ctypes.byref(whole), ctypes.byref(answer), 0) == 0:
            return answer.cache * PAGE
        return _cached_bytes_by_mincore(descriptor)
    finally:
        os.close(descriptor)


def anonymous_bytes(pid):
    try:
        with open(f"/proc/{pid}/status") as status:
            for line in status:
                if line.startswith("RssAnon:"):
                    return int(line.split()[1]) * 1024
    except (FileNotFoundError, ProcessLookupError):
        pass
    return 0


class MemoryGroup:
    """A control group that only counts: all memory that a program is charged for, to the page."""

    _PLACES = (("/sys/fs/cgroup/memory", "memory.max_usage_in_bytes"),
               ("/sys/fs/cgroup", "memory.peak"))

    def __init__(self, stack):
        self.folder = None
        for root, peak in self._PLACES:
            folder = f"{root}/sluice-bench-memory-{os.getpid()}"
            try:
                if not os.path.exists(f"{root}/cgroup.procs"):
                    continue
                os.mkdir(folder)
            except OSError:
                continue
            if os.path.exists(f"{folder}/{peak}"):
                self.folder, self._peak = folder, f"{folder}/{peak}"
                stack.callback(os.rmdir, folder)
                return
            os.rmdir(folder)

    def peak(self):
        with open(self._peak) as file:
            return int(file.read())


class _Watcher:
    """Samples until it is stopped."""

    def __init__(self, run, process, disks, files):
        self._run, self._pid, self._disks, self._files = run, process.pid, disks, files
        self._start = time.monotonic()
        self._base = self._count()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch)
        self._thread.start()

    def stop(self):
        self._stop.set()
        self._thread.join()

    def _count(self):
        counts = [disk.counters() for disk in self._disks]
        return sum(c[0] for c in counts), sum(c[1] for c in counts)

    def _sample(self):
        read, written = self._count()
        now = time.monotonic() - self._start
        self._run.samples.append((now, read - self._base[0], written - self._base[1]))

    def _watch(self):
        """Throughput at 10 Hz; memory, where it is asked for, at 100 Hz."""
        steps = 10 if self._files else 1
        step = 0
        while True:
            if step % steps == 0:
                self._sample()
            if self._files:
                run = self._run
                cache = sum(cached_bytes(path) for path in self._files)
                run.peak_cache = max(run.peak_cache, cache)
                run.peak_anon = max(run.peak_anon, anonymous_bytes(self._pid))
            step += 1
            if self._stop.wait(0.1 / steps):
                break
        self._sample()


def measure(name, words, output=None, disks=(), group=None, memory_group=None, files=()):
    """Runs `words` to the end and until `output` is on the disk.

    disks: whose traffic to sample. group: control group to run in. memory_group: the same, for its
    peak. files: whose pages in the cache to count, at 100 Hz, with the program's anonymous memory.
    """
    groups = [each for each in (group, memory_group and memory_group.folder) if each]

    def join_groups():
        for folder in groups:
            with open(f"{folder}/cgroup.procs", "w") as members:
                members.write(str(os.getpid()))

    run = Run(name)
    seekers = [disk for disk in disks if hasattr(disk, "seeks")]
    seeks = sum(disk.seeks() for disk in seekers)
    start = time.monotonic()
    try:
        process = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                   stderr=subprocess.PIPE, preexec_fn=join_groups)
    except OSError as error:
        run.failure = str(error)
        return run
    watcher = _Watcher(run, process, disks, files)
    try:
        errors = process.stderr.read()
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode != 0:
            lines = errors.decode(errors="replace").strip().splitlines()
            run.failure = lines[-1] if lines else f"status {process.returncode}"
        elif output:
            descriptor = os.open(output, os.O_RDONLY)
            os.fdatasync(descriptor)
            os.close(descriptor)
        run.seconds = time.monotonic() - start
        run.cpu_seconds = usage.ru_utime + usage.ru_stime
    finally:
        if process.returncode is None:
            process.kill()
            process.wait()
        watcher.stop()
        process.stderr.close()
    if memory_group:
        run.peak_group = memory_group.peak()
    if seekers:
        run.seeks = sum(disk.seeks() for disk in seekers) - seeks
    return run
