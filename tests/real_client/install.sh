# Installs the packages that package.json in the given folder names, unless they are there already.
. "$(dirname "$0")/../support/need.sh"
set -eu

cd "$1"
installed=node_modules/.package-lock.json
[ ! -e $installed ] || [ package.json -nt $installed ] || exit 0
need npm
# Not `npm ci`: it wants every optional package of node-llama-cpp, for other platforms too, and
# some of those cannot be had. No scripts: the packages carry what they need.
npm install --ignore-scripts --omit=optional --no-audit --no-fund ||
  missing "the packages of llama.cpp cannot be installed: see above"
