#!/bin/sh
# sort.sh - coreutils: big buffers, threads that merge, spills to files.

. "$(dirname "$0")/lib.sh"
tap_need sort awk join uniq
probe sort

awk 'BEGIN { x = 1; for (i = 0; i < 400000; i++) { x = (x * 16807) % 2147483647; print x, i } }' > "$scratch/numbers"
same "sort of 400,000 lines" sort "$scratch/numbers"
same "sort -n --parallel=8" sort -n --parallel=8 "$scratch/numbers"
same "sort with a small buffer, spilling into files" sort -S 1M -T . --parallel=4 -k2,2n "$scratch/numbers"
same "a pipeline of sort, uniq, join and comm" sh -c "cut -c1-4 '$scratch/numbers' | sort | uniq -c | sort -rn | head -50
    sort -k1,1 '$scratch/numbers' > a; sort -k1,1 -u '$scratch/numbers' > b; join a b | cksum; comm -12 a b | cksum; rm a b"
same "shuf, tac, tr, cksum" sh -c "shuf --random-source='$scratch/numbers' '$scratch/numbers' | tac | tr 0-4 5-9 | cksum"
same "an error" sort --no-such-option
if test -n "${MIDDEN_LONG:-}"; then
    awk 'BEGIN { x = 7; for (i = 0; i < 8000000; i++) { x = (x * 16807) % 2147483647; print x } }' > "$scratch/numbers"
    same "sort of 8,000,000 lines" sh -c "sort --parallel=8 '$scratch/numbers' | cksum"
fi
tap_done
