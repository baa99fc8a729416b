#!/bin/sh
# smoke.sh - every own workload of bench/ runs and gives under the library what it gives under the C library; and what
# bench/run refuses, it refuses with a cause.

. "$(dirname "$0")/../program/tap.sh"
tap_need python3 "${CC:-cc}"
test "$MIDDEN_LIBRARY" = none && tap_skip_all "there is no library to compare with the C library"

run=$(cd "$(dirname "$0")/../.." && pwd)/bench/run
cd "$scratch" || exit 1

timeout -k 5 250 "$run" --smoke --no-install -a glibc -a midden -w own -w memory midden="$MIDDEN_LIBRARY" \
    -o results > out 2> err
tap_check $? "the workloads end well, with the same results as under the C library"
test "$tap_failed" -eq 0 || { grep -v ': round ' err > errors; tap_diagnose errors; }

rows=$("$run" --list -w own -w memory 2>/dev/null | wc -l)
test "$rows" -gt 30 && test "$(grep -c ',midden,' results/samples.csv)" -eq "$rows" && ! grep -q 'Error\|status' results/samples.csv
tap_check $? "there is one sample of each row"

python3 -c "import json; r = json.load(open('results/result.json')); assert r['machine']['kernel'] and len(r['samples']) == 2 * $rows"
tap_check $? "result.json can be read, and names the kernel"

grep -q 'the figures mean nothing' out
tap_check $? "one tiny round says that it is no result"

"$run" --no-install -w own midden=/nowhere.so > out 2> err
test $? -eq 2 && grep -q 'midden: there is no /nowhere.so' err
tap_check $? "a library that is not there is named"

"$run" --no-install -w 'no such row' > out 2> err
test $? -eq 2 && grep -q 'no row matches no such row' err
tap_check $? "a pattern that matches nothing is named"

: > empty.so
"$run" --no-install --smoke -w pair midden="$MIDDEN_LIBRARY" other=empty.so > out 2> err
test $? -eq 2 && grep -q 'other: .*empty.so is not in a process' err
tap_check $? "a library that the loader leaves out is not measured"
tap_done
