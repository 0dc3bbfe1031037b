"""Runs clang-tidy over the units of the library and the program, and over the headers that they
include.

Arguments: source folder, build folder, processes, clang-tidy.

A unit without a finding is not looked at again as long as none of its files, its options, .clang-tidy
and clang-tidy's version changes: what has passed is kept, by digest, in the user's cache for all trees.

Most of the time goes into the standard library's and other headers, so several units are looked at as
one. Where that finds something, be it that two of them give different things one name, each is looked
at by itself, and what that finds counts.
"""

import concurrent.futures
import hashlib
import json
import math
import os
import pathlib
import shlex
import subprocess
import sys
import tempfile
import time

KEPT_SECONDS = 60 * 86400  # since it was last of use
UNITS_TOGETHER = 8  # at most: more need more memory, and leave processes idle at the end


def units(source, build):
    """(file, compiler's arguments, object) of each unit, of which most hold all files of a room. The
    codecs are there once for each instruction set; the portable ones are what the others build on."""
    for entry in json.loads((build / "compile_commands.json").read_text()):
        path = pathlib.Path(entry["file"])
        words = shlex.split(entry["command"])
        others = "-DSLUICE_ISA=" in entry["command"] and "-DSLUICE_ISA=portable" not in words
        joined = path.parent.name == "Unity" and path.parents[3] == build
        single = any(path.is_relative_to(source / folder) for folder in ("src", "tools"))
        if (joined or single) and not others:
            flags = [word for word in words if word.startswith(("-I", "-D", "-std"))]
            systems = [f"-isystem{path}" for word, path in zip(words, words[1:])
                       if word == "-isystem"]
            yield path, flags + systems, words[words.index("-o") + 1]


class Passed:
    """Which units have passed: an empty file each, named by the digest of all that clang-tidy saw."""

    def __init__(self, source, build, program):
        self.folder = pathlib.Path(os.environ.get("XDG_CACHE_HOME") or
                                   pathlib.Path.home() / ".cache") / "sluice-clang-tidy"
        self.folder.mkdir(parents=True, exist_ok=True)
        self.build = build
        self.places = (bytes(build), bytes(source))
        version = subprocess.run([program, "--version"], capture_output=True, check=True).stdout
        self.common = version + (source / ".clang-tidy").read_bytes()
        self.files = files_of_objects(build)
        self.digests = {}  # of files, which several units include

    def entry(self, path, arguments, compiled):
        """The unit's file; None if its object was not built, so that nobody knows what it includes."""
        if compiled not in self.files:
            return None
        seen = [self.common, *(os.fsencode(word) for word in (path, *arguments))]
        for file in self.files[compiled]:
            seen += [os.fsencode(file), self.digest(file)]
        return self.folder / hashlib.sha256(b"\0".join(map(self.anywhere, seen))).hexdigest()

    def digest(self, file):
        if file not in self.digests:
            data = self.anywhere((self.build / file).read_bytes())
            self.digests[file] = hashlib.sha256(data).hexdigest().encode()
        return self.digests[file]

    def anywhere(self, data):
        """The same for all trees."""
        for place in self.places:
            data = data.replace(place, b"")
        return data

    def forget_old(self):
        for entry in self.folder.iterdir():
            if time.time() - entry.stat().st_mtime > KEPT_SECONDS:
                entry.unlink(missing_ok=True)


def files_of_objects(build):
    """The files that each object was compiled from, as the last build saw them."""
    listing = subprocess.run(["ninja", "-t", "deps"], cwd=build, capture_output=True, text=True)
    files = {}
    for block in listing.stdout.split("\n\n"):
        head, *names = block.splitlines() or [""]
        files[head.split(": ")[0]] = [name.strip() for name in names]
    return files


class Checker:
    def __init__(self, program, source, folder):
        self.command = [program, "--quiet", f"--config-file={source / '.clang-tidy'}"]
        self.folder = folder  # for what is made on the way

    def findings(self, path, arguments):
        """What clang-tidy says of a file in which it finds anything."""
        done = subprocess.run([*self.command, str(path), "--", *arguments], capture_output=True,
                              text=True)
        return done.stdout + done.stderr if done.returncode != 0 else ""

    def check(self, group):
        """What clang-tidy finds in units of the same options, which are (file, options, entry)."""
        if len(group) > 1:
            handle, joined = tempfile.mkstemp(suffix=".cpp", dir=self.folder)
            with os.fdopen(handle, "w") as file:
                file.writelines(f'#include "{path}"\n' for path, _, _ in group)
            if self.findings(joined, group[0][1]):
                return "".join(self.check([unit]) for unit in group)
        elif found := self.findings(*group[0][:2]):
            return found
        for _, _, entry in group:
            if entry:
                entry.touch()
        return ""


def groups(work, processes):
    """The units that are to be looked at as one, some for each process."""
    alike = {}
    for unit in work:
        alike.setdefault(tuple(unit[1]), []).append(unit)
    for same in alike.values():
        count = max(processes, math.ceil(len(same) / UNITS_TOGETHER))
        yield from filter(None, (same[first::count] for first in range(count)))


def main():
    source, build = (pathlib.Path(argument).resolve() for argument in sys.argv[1:3])
    processes, program = int(sys.argv[3]), sys.argv[4]
    work = list(units(source, build))
    if not work:
        raise SystemExit("no units in compile_commands.json")
    passed = Passed(source, build, program)
    left = []
    for path, arguments, compiled in work:
        entry = passed.entry(path, arguments, compiled)
        if entry and entry.exists():
            entry.touch()
        else:
            left.append((path, arguments, entry))
    with tempfile.TemporaryDirectory() as folder, \
            concurrent.futures.ThreadPoolExecutor(processes) as pool:
        checker = Checker(program, source, folder)
        complaints = list(pool.map(checker.check, groups(left, processes)))
    passed.forget_old()
    for complaint in filter(None, complaints):
        print(complaint)
    return int(any(complaints))


if __name__ == "__main__":
    sys.exit(main())
