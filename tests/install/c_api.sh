# The C interface, by a program in C11 that finds the library by pkg-config.
. "$(dirname "$0")/common.sh"
need cc
need pkg-config

export PKG_CONFIG_PATH=$SLUICE_PREFIX/$SLUICE_LIBDIR/pkgconfig
read -ra compile < <(pkg-config --cflags sluice)
# The shared library alone, or the static one with what it needs.
for link in --libs '--static --libs'; do
  read -ra options < <(pkg-config $link sluice)
  [[ $link == --libs ]] || options=("${options[@]/#-lsluice/-l:libsluice.a}")
  cc -std=c11 -Wall -Wextra -Wpedantic -Wstrict-prototypes -Werror "${compile[@]}" "$here/c_api_test.c" \
    -o "$work/c_api_test" "${options[@]}"
  LD_LIBRARY_PATH=$SLUICE_PREFIX/$SLUICE_LIBDIR "$work/c_api_test" "$model" "$imatrix" "$work"
done
