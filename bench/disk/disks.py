"""Slow disks: made, mounted, slowed down, and taken away again."""

import contextlib
import mmap
import os
import shutil
import struct
import subprocess
import time

SECTOR = 512


class Problem(Exception):
    """Something that the user can do something about."""


def call(*words):
    """Runs a tool of the system and returns what it prints."""
    done = subprocess.run(words, capture_output=True, text=True)
    if done.returncode != 0:
        raise Problem(f"{' '.join(words)}: {done.stderr.strip() or f'status {done.returncode}'}")
    return done.stdout.strip()


def write_setting(path, text):
    with open(path, "w") as file:
        file.write(text)


def mounted(kind, option=None):
    """Where a file system of this kind is mounted, or None."""
    with open("/proc/mounts") as mounts:
        for line in mounts:
            _, folder, its_kind, options = line.split()[:4]
            if its_kind == kind and (option is None or option in options.split(",")):
                return folder
    return None


def forget(path):
    """Drops a file's pages from the page cache, once they are written."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fdatasync(descriptor)
        os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
    finally:
        os.close(descriptor)


class Throttle:
    """Limits of block devices, by control group. Version 1: a limit of the root group, which holds
    for all that goes to the device, write-back included. Version 2: the root has no limits, so
    programs must run in `group`, with memory accounting, so that write-back counts as theirs."""

    def __init__(self, stack):
        self.group = None
        self.root = mounted("cgroup", "blkio")
        if self.root:
            if not os.access(f"{self.root}/blkio.throttle.read_bps_device", os.W_OK):
                raise Problem("the limits of block devices cannot be written")
            return
        self.root = mounted("cgroup2")
        if not self.root or "io" not in _words(f"{self.root}/cgroup.controllers"):
            raise Problem("no control group limits block devices")
        control = f"{self.root}/cgroup.subtree_control"
        for name in {"io", "memory"} - set(_words(control)):
            write_setting(control, f"+{name}")
            stack.callback(write_setting, control, f"-{name}")
        self.group = f"{self.root}/sluice-bench-{os.getpid()}"
        os.mkdir(self.group)
        stack.callback(os.rmdir, self.group)

    def limit(self, stack, device, rate):
        """device: as 'MAJOR:MINOR'; rate: bytes a second, reads and writes apart."""
        if self.group:
            write_setting(f"{self.group}/io.max", f"{device} rbps={rate} wbps={rate}")
            stack.callback(write_setting, f"{self.group}/io.max", f"{device} rbps=max wbps=max")
            return
        for direction in ("read", "write"):
            path = f"{self.root}/blkio.throttle.{direction}_bps_device"
            write_setting(path, f"{device} {rate}")
            stack.callback(write_setting, path, f"{device} 0")


def _words(path):
    with open(path) as file:
        return file.read().split()


class LoopDisk:
    """An ext4 image on a loop device. Fast until it is slowed down."""

    kind = "loop device"

    def __init__(self, stack, throttle, folder, name, size):
        self.throttle = throttle
        self.group = throttle.group
        image = f"{folder}/{name}.img"
        with open(image, "wb") as file:
            stack.callback(os.unlink, image)
            os.posix_fallocate(file.fileno(), 0, size)
        # Nothing is left for the kernel to initialize later, beside what is measured.
        call("mkfs.ext4", "-q", "-F", "-m", "0", "-E",
             "lazy_itable_init=0,lazy_journal_init=0", image)
        # Direct, or the image's own pages would hide the disk.
        device = call("losetup", "--find", "--show", "--direct-io=on", image)
        stack.callback(call, "losetup", "--detach", device)
        self.name = os.path.basename(device)
        self.number = _words(f"/sys/block/{self.name}/dev")[0]
        self.folder = f"{folder}/{name}"
        os.mkdir(self.folder)
        stack.callback(os.rmdir, self.folder)
        call("mount", device, self.folder)
        stack.callback(_unmount, ["umount", self.folder], ["umount", "-l", self.folder])

    def slow_down(self, stack, rate):
        self.throttle.limit(stack, self.number, int(rate))

    def counters(self):
        """Bytes read and bytes written so far."""
        numbers = _words(f"/sys/block/{self.name}/stat")
        return int(numbers[2]) * SECTOR, int(numbers[6]) * SECTOR


class FuseDisk:
    """A folder seen through bench_slow_disk."""

    kind = "FUSE"
    group = None

    def __init__(self, stack, program, folder, name, rate, seek):
        if not os.path.exists(program):
            raise Problem(f"{program} is missing: install libfuse3-dev and build again")
        self.backing = f"{folder}/{name}.backing"
        self.folder = f"{folder}/{name}"
        for each in (self.backing, self.folder):
            os.mkdir(each)
        stack.callback(shutil.rmtree, self.backing)
        stack.callback(os.rmdir, self.folder)
        counters = f"{folder}/{name}.counters"
        errors = stack.enter_context(open(f"{folder}/{name}.errors", "w+"))
        # Not in the terminal's foreground: Ctrl-C must not take the disk away first.
        process = subprocess.Popen(
            [program, self.backing, self.folder, str(rate), str(seek), counters],
            stdin=subprocess.DEVNULL, stdout=errors, stderr=errors, preexec_fn=os.setpgrp)
        stack.callback(_end, process)
        while not os.path.ismount(self.folder):
            if process.poll() is not None:
                errors.seek(0)
                raise Problem(f"no FUSE here: {errors.read().strip().splitlines()[-1:]}")
            time.sleep(0.01)
        stack.callback(_unmount, ["fusermount3", "-u", self.folder],
                       ["fusermount3", "-u", "-z", self.folder])
        with open(counters, "rb") as file:
            self._counters = mmap.mmap(file.fileno(), 0, prot=mmap.PROT_READ)

    def counters(self):
        """Bytes read and bytes written so far."""
        return struct.unpack_from("QQ", self._counters)

    def seeks(self):
        return struct.unpack_from("Q", self._counters, 16)[0]


def _end(process):
    """An unmounted disk ends by itself, unless somebody still has a file open."""
    try:
        process.wait(5)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _unmount(gently, firmly):
    """A moment's grace for who still has a file open, then without it."""
    for _ in range(20):
        if subprocess.run(gently, capture_output=True).returncode == 0:
            return
        time.sleep(0.1)
    call(*firmly)


def can_loop():
    """Why loop devices cannot be used here, or None."""
    if os.geteuid() != 0:
        return "loop devices need root"
    for tool in ("losetup", "mkfs.ext4", "mount"):
        if not shutil.which(tool):
            return f"{tool} is missing"
    try:
        with contextlib.ExitStack() as stack:
            Throttle(stack)
        call("losetup", "--find")
    except (Problem, OSError) as problem:
        return str(problem)
    return None
