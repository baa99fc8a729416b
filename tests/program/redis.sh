#!/bin/sh
# redis.sh - redis: a server under load, its snapshot by fork.

. "$(dirname "$0")/lib.sh"
tap_need redis-server redis-cli redis-benchmark
probe redis-server redis-benchmark

socket=$scratch/socket
client() { redis-cli -s "$socket" "$@"; }

start() {
    cd "$scratch" || exit 1
    preloaded redis-server --port 0 --unixsocket "$socket" --save '' --dir "$scratch" --appendonly yes --io-threads 2 \
        --activedefrag no --enable-debug-command local > "$scratch/log" 2>&1 &
    job=$!
    trap 'client shutdown nosave >/dev/null 2>&1; rm -rf "$scratch"' EXIT
    for _ in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
        client ping 2>/dev/null | grep -q PONG && return 0
        sleep 0.2
    done
    return 1
}

# expect TEXT WANTED WORDS...: redis answers that
expect() {
    expect_text=$1 expect_wanted=$2
    shift 2
    expect_answer=$(client "$@")
    test "$expect_answer" = "$expect_wanted"
    tap_check $? "$expect_text"
    test "$expect_answer" = "$expect_wanted" || echo "#   answer: $expect_answer"
}

count=${MIDDEN_LONG:+300000}
count=${count:-20000}
start
tap_check $? "the server starts and answers"
probe_process "$(client info server | tr -d '\r' | sed -n 's/^process_id://p')" "the library is in the server"
preloaded redis-benchmark -s "$socket" -q -n "$count" -c 20 -P 8 -r 5000 -d 300 \
    -t set,get,incr,lpush,lrange_100,sadd,hset,zadd,mset > "$scratch/bench" 2>&1 && ! grep -qi error "$scratch/bench"
tap_check $? "the benchmark runs to its end"
client eval "for i = 1, 20000 do redis.call('hset', 'h' .. i % 50, i, string.rep('x', i % 700)) end return 1" 0 >/dev/null
expect "what a script stored can be counted" 400 hlen h7
before=$(client debug digest)
expect "a snapshot by fork" OK save
client bgrewriteaof >/dev/null
client bgsave >/dev/null
sleep 1
expect "keys survive a reload of the snapshot" OK debug reload
expect "and are the same to the byte" "$before" debug digest
expect "everything is freed" OK flushall
expect "the server is well" PONG ping
client shutdown nosave >/dev/null 2>&1
wait "$job"
tap_check $? "the server ends with status 0"
! grep -Eqi '^midden:|crash|assert|signal 11' "$scratch/log"
tap_check $? "its log tells of no accident"
test "$tap_failed" -eq 0 || tap_diagnose "$scratch/log"
tap_done
