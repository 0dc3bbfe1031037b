# The C interface, by a program in C11 that finds the library by pkg-config.
. "$(dirname "$0")/common.sh"
need cc
need pkg-config

export PKG_CONFIG_PATH=$SLUICE_PREFIX/$SLUICE_LIBDIR/pkgconfig
read -ra compile < <(pkg-config --cflags sluice)
read -ra link < <(pkg-config --libs sluice)
cc -std=c11 -Wall -Wextra -Wpedantic -Wstrict-prototypes -Werror "${compile[@]}" "$here/c_api_test.c" \
  -o "$work/c_api_test" "${link[@]}"
"$work/c_api_test" "$model" "$imatrix" "$work"
