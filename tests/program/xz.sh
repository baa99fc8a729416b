#!/bin/sh
# xz.sh - compressors: large blocks, two threads.

. "$(dirname "$0")/lib.sh"
tap_need xz
probe xz

awk 'BEGIN { x = 1; for (i = 0; i < 120000; i++) { x = (x * 16807) % 2147483647; print x % 5000, i } }' > "$scratch/data"
same "xz -T2 there and back" sh -c "
    xz -T2 --block-size=512KiB -3 -c '$scratch/data' > x && xz -dc x | cmp - '$scratch/data' && xz -lv x"
same "xz -6 -T1" sh -c "xz -6 -c '$scratch/data' | cksum"
for tool in gzip bzip2 zstd; do
    command -v $tool >/dev/null 2>&1 || continue
    same "$tool there and back" sh -c "$tool -c '$scratch/data' > x && $tool -dc x | cmp - '$scratch/data' && cksum x"
done
same "a file that is not compressed" xz -dc "$scratch/data"
tap_done
