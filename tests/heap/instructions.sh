#!/bin/sh
# instructions.sh - the fast paths are as short as they were: instructions are counted, so no clock and no noise.
# Job  bench/count.c runs a pattern by two numbers of rounds under callgrind; the difference over the difference, less that of
#      the empty loop, is what one round executes in malloc, free and the stubs that call them.
#
# The table is the only place of the bounds. A bound is the figure of the day it was set, and 2: enough for another choice
# of registers, too little for one more test or load in each of malloc and free. Raise it only together with the change
# that needs it, and say in that commit what the instructions buy; lower it when the figure has fallen.

. "$(dirname "$0")/../program/tap.sh"

# pattern   bound   what a round is
bounds='
pair        54      malloc(32), free
large       54      malloc(1000), free
medium      79      malloc(5000), free
aligned     82      posix_memalign(64, 100), free
zeroed      82      calloc(1, 32), free
same        37     realloc that stays where it is
batch       59      a malloc and free of 48 bytes, sixteen at a time
turns       86      one of forty blocks of 256 bytes, drawn at random, replaced
holes     3000      10 KiB, half of them freed, and a third as many of 14 KiB, which fit in no hole
'

test "$MIDDEN_LIBRARY" = none && tap_skip_all "there is no library whose instructions to count"
tap_need valgrind readelf
test "$(uname -m)" = x86_64 || tap_skip_all "the bounds are those of x86_64"

# Another compiler, or other flags, make other instructions of the same source; the library says what made it.
producer=$(readelf --debug-dump=info --dwarf-depth=1 "$MIDDEN_LIBRARY" 2>/dev/null | grep -m 1 DW_AT_producer)
case $producer in
*'GNU C11 12.'*' -O2 '*) ;;
*) tap_skip_all "the bounds are those of gcc 12 -O2; the library says: ${producer##*: }" ;;
esac

${CC:-cc} -std=gnu11 -O2 -fno-builtin -o "$scratch/count" "$(dirname "$0")/../../bench/count.c" 2> "$scratch/err" ||
    tap_bail "bench/count.c does not compile: $(head -n 1 "$scratch/err")"

# executed PATTERN ROUNDS: instructions of the whole process
executed() {
    preloaded timeout -k 5 120 valgrind --tool=callgrind --callgrind-out-file=/dev/null "$scratch/count" "$@" 2>&1 |
        sed -n 's/.*Collected : //p'
}

# a_round PATTERN: instructions of one round, rounded up; "" if nothing was counted
a_round() {
    few=$(executed "$1" 16000)
    many=$(executed "$1" 48000)
    test -z "$few" || test -z "$many" || echo $(((many - few + 31999) / 32000))
}

loop=$(a_round none)
test -n "$loop" || tap_bail "callgrind counted nothing"
printf '%s' "$bounds" > "$scratch/bounds"
while read -r pattern bound what; do
    test -n "$pattern" || continue
    figure=$(a_round "$pattern")
    figure=${figure:+$((figure - loop))}
    test "${figure:-999999}" -le "$bound"
    tap_check $? "$what: at most $bound instructions"
    echo "#   $pattern: ${figure:-nothing was counted}"
done < "$scratch/bounds"
tap_done
