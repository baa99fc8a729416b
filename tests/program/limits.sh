#!/bin/sh
# limits.sh - programs under limits on address space, data and locked memory.

. "$(dirname "$0")/lib.sh"
tap_need python3 perl git sort awk
python=$(python3 -c 'import sys; print(sys.executable)')
probe "$python" perl sort

# under LIMIT WORDS...: a shell sets it, then becomes the program
under() {
    under_limit=$1
    shift
    same "$(basename "$1") under ulimit $under_limit" sh -c "ulimit ${under_limit} && exec \"\$@\"" sh "$@"
}

awk 'BEGIN { for (i = 0; i < 100000; i++) print i * 7919 % 100003 }' > "$scratch/numbers"
for limit_words in '-v 65536' '-v 131072' '-v 1048576' '-d 65536' '-l 0' '-m 65536'; do
    under "$limit_words" "$python" -c 'print(len([str(i) * 10 for i in range(100000)]))'
    under "$limit_words" perl -e 'my %h; $h{$_} = "x" x ($_ % 90) for 1 .. 100000; print scalar(keys %h), "\n"'
    under "$limit_words" sort -n -S 10M "$scratch/numbers"
    under "$limit_words" awk '{ n[$1 % 1000] = n[$1 % 1000] $1 } END { print length(n[7]) }' "$scratch/numbers"
done
same "memory that is not there is a MemoryError" sh -c 'ulimit -v 100000 && exec "$@"' sh "$python" -c '
try:
    kept = [bytearray(1 << 20) for _ in range(1000)]
except MemoryError:
    kept = None
    print("no memory")
print(len(bytearray(1 << 20)))'
tap_done
