# The container file, as far as it can be looked at without a registry: its instructions, that what it names is
# there, and that it builds by README's commands.
. "$(dirname "$0")/common.sh"

# faults FILE: what is wrong with it, a line each.
faults() {
  python3 - "$1" "$SLUICE_SOURCE" <<'E3'
import json, os, re, sys

path, source = sys.argv[1:]
text = re.sub(r'\\\n', ' ', re.sub(r'^#.*\n', '', open(path).read(), flags=re.M))
presets = json.load(open(f'{source}/CMakePresets.json'))
named = {kind: {p['name'] for p in presets[kind]} for kind in ('configurePresets', 'buildPresets')}
readme = re.sub(r'\s+', ' ', open(f'{source}/README.md').read())
stages, folder, last = set(), '/', None

def there(name):
    return os.path.exists(os.path.join(source, name))

for line in filter(None, map(str.strip, text.splitlines())):
    word, _, rest = line.partition(' ')
    words = rest.split()
    last = word
    if word == 'FROM':
        if not re.fullmatch(r'\S+( AS \w+)?', rest):
            print(f'no image: {line}')
        stages.update(words[2:])
    elif not stages:
        print(f'before the first FROM: {line}')
    elif word == 'WORKDIR':
        folder = rest
    elif word == 'COPY' and words[0].startswith('--from='):
        if words[0][7:] not in stages:
            print(f'no stage: {line}')
        if words[1].startswith('/sluice/build/') and not re.match(r'/sluice/build/(\w+)/bin/sluice$', words[1]):
            print(f'not what is built: {line}')
    elif word == 'COPY':
        for name in words[:-1]:
            if not there(name):
                print(f'no such file: {name}')
    elif word == 'RUN':
        for command in map(str.strip, rest.split('&&')):
            program, *arguments = command.split()
            if program.startswith('tools/') and not os.access(os.path.join(source, program), os.X_OK):
                print(f'no such program: {program}')
            kind = 'buildPresets' if '--build' in arguments else 'configurePresets'
            for preset in re.findall(r'--preset (\S+)', command):
                if preset not in named[kind]:
                    print(f'no such preset: {preset}')
            target = re.search(r' --target (\S+)', command)
            if target and f'add_executable({target[1]} ' not in open(f'{source}/CMakeLists.txt').read():
                print(f'no such target: {target[1]}')
            if program != 'apt-get' and re.sub(r' --target \S+', '', command) not in readme:
                print(f'not as in README.md: {command}')
    elif word not in ('ENV', 'ENTRYPOINT'):
        print(f'no instruction: {line}')
if last != 'ENTRYPOINT':
    print('starts nothing')
E3
}

need python3
file=$SLUICE_SOURCE/tools/packaging/Containerfile
found=$(faults "$file")
[ -z "$found" ] || fail "$found"
# broken EDIT WHAT: with this edit (sed's) it is found to be wrong, in these words.
broken() {
  sed "$1" "$file" >"$work/Containerfile"
  cmp -s "$file" "$work/Containerfile" && fail "edits nothing: $1"
  faults "$work/Containerfile" >"$work/faults"
  grep -q "$2" "$work/faults" || fail "not found: $1: $(cat "$work/faults")"
}
broken 's/^RUN /RUNS /' 'no instruction: RUNS'
broken 's/^COPY \. /COPY sources /' 'no such file: sources'
broken 's/--from=build/--from=built/' 'no stage'
broken 's/rebuilt-libraries/built-libraries/' 'no such program: tools/built-libraries'
broken 's/--preset static/--preset fixed/' 'no such preset: fixed'
broken 's/sluice_cli/sluice_program/' 'no such target: sluice_program'
broken 's/build\/static-libraries/build\/libraries/' 'not as in README.md: tools/rebuilt-libraries'
broken '/^ENTRYPOINT/d' 'starts nothing'
