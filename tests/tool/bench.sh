#!/bin/sh
# bench.sh - midden bench: who takes part, in which order, and the shape of table, JSON and CSV.

. "$(dirname "$0")/tool.sh"

midden bench -n 4 --warmup 0 --json "$scratch/four" sh -c 'exit 0'
exits 0 "four rounds"
midden bench -n 1 --warmup 0 --csv "$scratch/csv" --json "$scratch/json" true
exits 0 "one round"
for column in allocator "wall time" min max "cpu time" "peak RSS" time memory; do
    says "$out" "$column" "the table has a column: $column"
done
grep -q '^midden  ' "$out" && grep -q '^glibc  ' "$out"
tap_check $? "midden and glibc always take part"
grep -Eq '^glibc +[0-9.]+ (us|ms|s) +[0-9.]+ (us|ms|s) \.\. [0-9.]+ (us|ms|s) +[0-9.]+ (us|ms|s) +[0-9.]+ [KMG]?i?B( +[0-9]+\.[0-9][0-9]){2}$' "$out"
tap_check $? "a row is: name, median, range, processor time, peak, two ratios"
measure=$(sed -n 's/.*"ratios_to":"\([^"]*\)".*/\1/p' "$scratch/json")
grep -Eq "^$measure .* 1\.00 +1\.00\$" "$out"
tap_check $? "the ratios of the yardstick ($measure) are 1"
awk '/^allocator/ { rows = 1; next } /^$/ { rows = 0 } rows { print length($0) }' "$out" | sort -u > "$scratch/widths"
test "$(wc -l < "$scratch/widths")" -eq 1
tap_check $? "the rows align"
contenders=$(awk '/^allocator/ { rows = 1; next } /^$/ { rows = 0 } rows' "$out" | wc -l)
test "$(wc -l < "$scratch/csv")" -eq $((contenders + 1))
tap_check $? "CSV: a line a run, and a heading"
test "$(head -n 1 "$scratch/csv")" = round,allocator,wall_ns,user_ns,system_ns,peak_rss_bytes,exit_code
tap_check $? "CSV: the heading"
awk -F, 'NR > 1 && (NF != 7 || $3 <= 0 || $6 < 65536 || $7 != 0) { bad = 1 } END { exit bad }' "$scratch/csv"
tap_check $? "CSV: every run took time and memory, and exited with 0"

if command -v python3 > /dev/null; then
    python3 - "$scratch/json" "$scratch/four" > "$err" 2>&1 <<'CODE'
import json, statistics, sys
def check(spread, runs):
    assert spread["min"] == min(runs) and spread["max"] == max(runs), (spread, runs)
    assert abs(spread["median"] - statistics.median(runs)) <= 0.5, (spread, runs)
for path, command, rounds in (sys.argv[1], ["true"], 1), (sys.argv[2], ["sh", "-c", "exit 0"], 4):
    told = json.load(open(path))
    assert told["schema"] == "midden.bench/1" and told["command"] == command and told["rounds"] == rounds
    for one in told["allocators"]:
        assert len(one["runs"]) == rounds, one
        check(one["wall_ns"], [run["wall_ns"] for run in one["runs"]])
        check(one["cpu_ns"], [run["user_ns"] + run["system_ns"] for run in one["runs"]])
        check(one["peak_rss_bytes"], [run["peak_rss_bytes"] for run in one["runs"]])
        assert (one["library"] is None) == (one["name"] == "glibc")
CODE
    tap_check $? "JSON: read by another program, and its medians are those of its runs"
    tap_diagnose "$err"
else
    tap_skip "JSON: read by another program" "no python3 here"
fi

# -- rounds --------------------------------------------------------------------------------------------

# Each run tells what it was preloaded with; three contenders, three rounds, no warm-up: every one is first once.
cp "$library_real" "$scratch/other.so"
midden bench -n 3 --warmup 0 -a glibc -a other="$scratch/other.so" --output "$scratch/log" sh -c 'echo "${LD_PRELOAD##*/}."'
exits 0 "three rounds of three"
sort "$scratch/log" | uniq -c | awk '$1 != 3 { bad = 1 } END { exit bad || NR != 3 }'
tap_check $? "each ran once a round"
awk 'NR % 3 == 1' "$scratch/log" | sort -u | wc -l | grep -qx 3
tap_check $? "each came first once: the order rotates"
midden bench -n 2 --warmup 3 -a glibc --output "$scratch/warm" --csv - sh -c 'echo run'
test "$(wc -l < "$scratch/warm")" -eq 10 && test "$(wc -l < "$out")" -eq 5
tap_check $? "warm-up runs are run, and not measured"
says "$err" "wall time" "the table makes way on stderr when stdout is taken"
midden bench -n 2 --warmup 0 -a glibc sh -c 'sleep 0.05'
awk '/^glibc/ { exit !($3 == "ms" && $2 >= 50 && $2 < 5000) }' "$out"
tap_check $? "wall time is time on the wall"
midden bench -n 1 --warmup 0 -a glibc sh -c 'dd if=/dev/zero of=/dev/null bs=64M count=1'
awk '/^glibc/ { for (i = 1; i < NF; i++) if ($(i + 1) == "MiB") exit !($i >= 64 && $i < 100) }' "$out"
tap_check $? "peak RSS is that of the largest process"

# -- what does not go well ----------------------------------------------------------------------------------

midden bench -n 2 --warmup 1 -a glibc sh -c 'exit 9'
exits 1 "runs that fail make the comparison fail"
says "$out" "3 failed (exit status 9)" "and the table says whose and how"
midden bench -n 1 -a jmalloc true
exits 2 "an unknown allocator is a usage error"
says "$err" 'did you mean "jemalloc"' "with the nearest one"
midden bench -n 1 -a mine="$scratch/nowhere.so" true
exits 2 "a library that is not there is a usage error"
midden bench -n 1 -a "a,b=$scratch/other.so" true
exits 2 "a name that would spoil the CSV is a usage error"
echo text > "$scratch/text.so"
midden bench -n 1 -a "text=$scratch/text.so" true
exits 2 "a file that is no library is a usage error"
midden bench -n 1 -a glibc -a "glibc=$scratch/other.so" true
exits 2 "two of one name are a usage error"
midden bench -n 1 --json - --csv - true
exits 2 "JSON and CSV do not share stdout"
midden bench -n 1 no-such-command-here
exits 127 "a command that is not there"
midden bench -n 1 --warmup 0 --csv "$scratch/no/such/place" true
exits 125 "a file that cannot be written"
MIDDEN_LIBRARY=$scratch/nowhere.so midden bench -n 1 true
exits 125 "no library"
LD_PRELOAD=libjemalloc.so.2 midden bench -n 1 --warmup 0 -a glibc --output "$scratch/clean" sh -c 'echo "[$LD_PRELOAD]"' 2> /dev/null
grep -Fqx '[]' "$scratch/clean"
tap_check $? "an allocator that was preloaded from outside does not stand in for glibc"

"$MIDDEN_COMMAND" bench -n 100 -a glibc sleep 0.2 > "$out" 2> "$err" &
running=$!
sleep 0.5
kill -TERM "$running"
wait "$running"
status=$?
exits 143 "SIGTERM ends the comparison"
is_empty "$out" "without a table of half the runs"
tap_done
