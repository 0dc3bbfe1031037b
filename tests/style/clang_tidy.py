"""Runs clang-tidy over the units of the library and the program, and over the headers that they
include.

Arguments: source folder, build folder, processes, clang-tidy.
"""

import concurrent.futures
import json
import pathlib
import shlex
import subprocess
import sys


def units(source, build):
    """(file, compiler's arguments) of each unit, of which most hold all files of a room. The codecs
    are there once for each instruction set; the portable ones are what the others build on."""
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
            yield path, flags + systems


def check(program, source, path, arguments):
    """What clang-tidy finds in a unit: its output where it finds anything."""
    done = subprocess.run(
        [program, "--quiet", f"--config-file={source / '.clang-tidy'}", str(path), "--",
         *arguments], capture_output=True, text=True)
    return done.stdout + done.stderr if done.returncode != 0 else ""


def main():
    source, build = (pathlib.Path(argument).resolve() for argument in sys.argv[1:3])
    processes, program = int(sys.argv[3]), sys.argv[4]
    work = list(units(source, build))
    if not work:
        raise SystemExit("no units in compile_commands.json")
    with concurrent.futures.ThreadPoolExecutor(processes) as pool:
        complaints = list(pool.map(lambda unit: check(program, source, *unit), work))
    for complaint in filter(None, complaints):
        print(complaint)
    return int(any(complaints))


if __name__ == "__main__":
    sys.exit(main())
