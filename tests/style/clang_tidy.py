"""Runs clang-tidy over the units of src/ and tools/, and over the headers that they include.

Arguments: source folder, build folder, processes, clang-tidy.

Most of the time goes into the headers of libraries, which each unit reads anew. So the units of a room
are checked together, as one that includes them all, as far as they can be compiled together: where
two of them use one name, the group is cut in halves until they do not meet.
"""

import concurrent.futures
import json
import pathlib
import shlex
import subprocess
import sys
import tempfile

MOST_UNITS = 12  # checked together: more would leave the last process alone at the end


def commands(source, build):
    """Source file -> compiler's arguments. The codecs are there once for each instruction set, of
    which the portable ones are what everything else builds on."""
    found = {}
    for entry in json.loads((build / "compile_commands.json").read_text()):
        path = pathlib.Path(entry["file"])
        words = shlex.split(entry["command"])
        others = "-DSLUICE_ISA=" in entry["command"] and "-DSLUICE_ISA=portable" not in words
        # CMake builds some units as one itself.
        ours = path.is_relative_to(source / "src") or path.is_relative_to(source / "tools") or (
            "Unity" in path.parts and path.parent.parent.parent.parent == build)
        if ours and not others:
            flags = [word for word in words if word.startswith(("-I", "-D", "-std"))]
            systems = [f"-isystem{path}" for word, path in zip(words, words[1:])
                       if word == "-isystem"]
            found[path] = tuple(flags + systems)
    return found


def groups(source, found):
    """Lists of units that may be checked together: of one room, with the same arguments."""
    together = {}
    for path, arguments in sorted(found.items()):
        room = path.relative_to(source).parts[:2] if path.suffix == ".cpp" else path
        together.setdefault((room, arguments), []).append(path)
    for (_, arguments), paths in together.items():
        for start in range(0, len(paths), MOST_UNITS):
            yield paths[start:start + MOST_UNITS], arguments


def run(program, source, paths, arguments, *options):
    """Runs clang-tidy on some units as one."""
    with tempfile.TemporaryDirectory() as folder:
        unit = pathlib.Path(folder) / "units.cpp"
        unit.write_text("".join(f'#include "{path}"\n' for path in paths))
        return subprocess.run(
            [program, "--quiet", f"--config-file={source / '.clang-tidy'}", *options, str(unit),
             "--", *arguments], capture_output=True, text=True)


def check(program, source, paths, arguments):
    """What clang-tidy finds in some units: its output where it finds anything."""
    if len(paths) > 1:
        # A cheap check: only whether they compile is of interest.
        tried = run(program, source, paths, arguments, "--checks=-*,modernize-use-override")
        if "[clang-diagnostic-error" in tried.stdout:
            middle = len(paths) // 2
            return (check(program, source, paths[:middle], arguments) +
                    check(program, source, paths[middle:], arguments))
    done = run(program, source, paths, arguments, "--warnings-as-errors=*")
    return done.stdout + done.stderr if done.returncode != 0 else ""


def main():
    source, build = (pathlib.Path(argument).resolve() for argument in sys.argv[1:3])
    processes, program = int(sys.argv[3]), sys.argv[4]
    work = list(groups(source, commands(source, build)))
    if not work:
        raise SystemExit("no units in compile_commands.json")
    with concurrent.futures.ThreadPoolExecutor(processes) as pool:
        complaints = list(pool.map(lambda group: check(program, source, *group), work))
    for complaint in filter(None, complaints):
        print(complaint)
    return int(any(complaints))


if __name__ == "__main__":
    sys.exit(main())
