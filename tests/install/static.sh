# The static archive: its program needs no library, and looks hosts up without any, whatever nsswitch.conf says.
. "$(dirname "$0")/common.sh"
need dpkg-source
need readelf
need python3
need unshare

cd "$SLUICE_SOURCE"
tools/rebuilt-libraries static build/static-libraries >"$work/log" 2>&1 || {
  [ $? = 77 ] && missing "the sources of oneTBB and fmt"
  cat "$work/log"
  exit 1
}
(cmake --preset static -DSLUICE_WERROR="$SLUICE_WERROR" && cmake --build --preset static && cd build/static && cpack -G TGZ -B "$work/packages") \
  >"$work/log" 2>&1 || { cat "$work/log"; exit 1; }
mkdir "$work/root"
tar -xf "$work"/packages/*.tar.gz -C "$work/root" --strip-components=1

program=$work/root/bin/sluice
[ -x "$program" ] || fail "no program in the archive"
! readelf -lW "$program" | grep -q INTERP || fail "it asks for a loader"
! readelf -dW "$program" | grep -q NEEDED || fail "it asks for libraries"

# A root with that program alone, and a server on this machine, by name.
mkdir -p "$work/root"/{etc,tmp,work}
echo '127.0.0.1 models.test' >"$work/root/etc/hosts"
echo 'hosts: mymachines mdns4_minimal [NOTFOUND=return] resolve [!UNAVAIL=return] files' >"$work/root/etc/nsswitch.conf"
cp "$model" "$work/root/work/model.gguf"
python3 "$here/range_server.py" "$work/root/work" >"$work/port" &
server=$!
trap 'kill $server; rm -rf "$work"' EXIT
until [ -s "$work/port" ]; do sleep 0.05; done
inside() { unshare -r chroot "$work/root" /bin/sluice "$@"; }
[ "$(inside --version)" = "$(build/static/bin/sluice --version)" ] || fail "does not start alone"
inside quantize --quiet --pure /work/model.gguf /work/here.gguf Q4_0
inside quantize --quiet --pure "http://models.test:$(cat "$work/port")/model.gguf" /work/there.gguf Q4_0
cmp "$work/root/work/here.gguf" "$work/root/work/there.gguf"
