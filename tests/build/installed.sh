#!/bin/sh
# installed.sh - what `make install` left behind can be used as the README says. Run by `make installcheck`.
# Use  installed.sh LIBDIR BINDIR        CC and PKG_CONFIG as in the environment

libdir=$1 bindir=$2
export MIDDEN_LIBRARY="$libdir/libmidden.so.0"
. "$(dirname "$0")/../program/tap.sh"
unset LD_LIBRARY_PATH

PKG_CONFIG_PATH=$libdir/pkgconfig
export PKG_CONFIG_PATH
: "${CC:=cc}" "${PKG_CONFIG:=pkg-config}"

cat > "$scratch/program.c" <<'PROGRAM'
#include <midden/midden.h>
#include <stdio.h>
#include <stdlib.h>

int main(void)
{
    char *block = malloc(100);
    int   ours = block != NULL && midden_usable_bytes(block) >= 100;

    free(block);
    puts(ours ? "ours" : "not ours");
    return !ours;
}
PROGRAM

# says COMMAND...: its first line of output, and of complaints on stderr none
says() {
    "$@" 2> "$scratch/complaint" | head -n 1
    tap_diagnose "$scratch/complaint" >&2
}

test "$($PKG_CONFIG --variable=preload midden)" = "$MIDDEN_LIBRARY"
tap_check $? "pkg-config names the file to preload"
preloaded ls / > "$scratch/listing" 2>&1 && grep -q '^usr$' "$scratch/listing"
tap_check $? "ls runs with it preloaded"
preloaded cat /proc/self/maps | grep -q "$library_real"
tap_check $? "a preloaded program has it mapped"

# shellcheck disable=SC2046  # words are wanted
$CC -o "$scratch/shared" "$scratch/program.c" $($PKG_CONFIG --cflags --libs midden) -Wl,-rpath,"$libdir"
tap_check $? "a program compiles by what pkg-config says"
test "$(says "$scratch/shared")" = ours
tap_check $? "its malloc is midden's"

# shellcheck disable=SC2046  # words are wanted
$CC -static -o "$scratch/static" "$scratch/program.c" $($PKG_CONFIG --cflags midden) "$libdir/libmidden.a"
tap_check $? "a program links statically"
test "$(says "$scratch/static")" = ours
tap_check $? "the static program's malloc is midden's"

# The examples are built as a user of the package builds them.
examples=$(cd "$(dirname "$0")/../../tools/examples" && pwd)
(cd "$scratch" && unset MAKEFLAGS MFLAGS MAKELEVEL && make -f "$examples/Makefile" LDFLAGS=-Wl,-rpath,"$libdir") \
    > "$scratch/log" 2>&1
tap_check $? "the examples compile by what pkg-config says"
"$scratch/graph" < "$examples/graph.script" > "$scratch/listing" 2> "$scratch/complaint"
tap_check $? "one of them runs"
tap_diagnose "$scratch/complaint"

if test -e "$bindir/midden"; then
    "$bindir/midden" --version > "$scratch/version"
    tap_check $? "the command midden tells its version"
    "$bindir/midden" run -- true
    tap_check $? "the command midden runs a program"
fi
tap_done
