#!/bin/sh
# aarch64.sh - the library compiles without a warning for the other architecture, and nothing in it is that of this one alone.
# Needs a cross compiler (Debian: gcc-aarch64-linux-gnu), and runs nothing.

. "$(dirname "$0")/../program/tap.sh"
tap_need aarch64-linux-gnu-gcc

top=$(cd "$(dirname "$0")/../.." && pwd)

# compiled NAME FLAG...: one shared library of all the sources
compiled() {
    name=$1
    shift
    aarch64-linux-gnu-gcc -shared -fPIC -std=gnu11 -D_GNU_SOURCE -fvisibility=hidden -ftls-model=initial-exec -fno-builtin-malloc \
        -fno-builtin-calloc -fno-builtin-realloc -fno-builtin-free -Wall -Wextra -Wundef -Wshadow -Werror "$@" -I"$top/src" \
        -I"$top/include" -Wl,-z,defs -Wl,--version-script="$top/src/libmidden.map" -o "$scratch/$name.so" "$top"/src/*/*.c \
        2> "$scratch/complaint"
    tap_check $? "it compiles and links for aarch64: $name"
    tap_diagnose "$scratch/complaint"
}

compiled release -O2
compiled debug -O1 -DMIDDEN_DEBUG -DMIDDEN_VALIDATE

aarch64-linux-gnu-nm -D --defined-only "$scratch/release.so" 2>/dev/null | sed -n 's/.* [TW] \([a-z_A-Z]*\).*/\1/p' | LC_ALL=C sort -u \
    > "$scratch/names"
for name in malloc free calloc realloc aligned_alloc posix_memalign midden_collect midden_new; do
    grep -qx "$name" "$scratch/names"
    tap_check $? "and defines $name"
done
tap_done
