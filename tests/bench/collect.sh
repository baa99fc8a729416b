#!/bin/sh
# collect.sh - the programs of bench/collect run under both collectors with the same sums, what they leave can be read, and
# what cannot be measured is refused with a cause.

. "$(dirname "$0")/../program/tap.sh"
tap_need python3 "${CC:-cc}"
test "$MIDDEN_LIBRARY" = none && tap_skip_all "there is no library to measure"
test -e /usr/include/gc.h || tap_skip_all "bdwgc is not installed (Debian: libgc-dev)"

run=$(cd "$(dirname "$0")/../.." && pwd)/bench/collect/run
cd "$scratch" || exit 1

timeout -k 5 250 "$run" --smoke --no-install --markers 1,2 midden="$MIDDEN_LIBRARY" -o results > out 2> err
tap_check $? "the programs end well, with the same sums under both collectors"
test "$tap_failed" -eq 0 || { grep -v ': round ' err > errors; tap_diagnose errors; }

rows=$("$run" --list midden="$MIDDEN_LIBRARY" 2>/dev/null | wc -l)
test "$rows" -ge 7 && test "$(wc -l < results/samples.csv)" -eq $((4 * rows + 1))
tap_check $? "there is one sample of each program, collector and number of markers"

cat > judge.py <<'E2'
import json, sys
r = json.load(open("results/result.json"))
assert r["machine"]["kernel"] and r["collectors"]["bdwgc"].startswith("libgc-dev "), r["collectors"]
for s in r["samples"]:
    assert not s["error"], s
    assert s["seconds"] > 0 and s["peak_kib"] > 0 and len(s["full_ms"]) == 3 and min(s["full_ms"]) > 0, s
    assert len(s["stopped_us"]) == len(s["waited_us"]), s
    assert all(0 < stop <= wait for stop, wait in zip(s["stopped_us"], s["waited_us"])), s
assert all(ratio["full_ms"] > 0 for ratio in r["ratios"]) and len(r["means"]) == 2
E2
python3 judge.py > errors 2>&1
tap_check $? "result.json has every figure, and no stop is longer than the collection it belongs to"
tap_diagnose errors

grep -q 'the figures mean nothing' out && grep -q '^mean  *[0-9.]* *[0-9.]* *[0-9.]*$' out
tap_check $? "the table has its means, and one tiny round says that it is no result"

awk '/^full collections, 2 markers to 1:/ { wanted = rows + 1; getline; next }
     wanted > 1 && $2 > 0 && $3 > 0       { wanted-- }
     END                                  { exit wanted != 1 }' rows="$rows" out
tap_check $? "and how many times as fast two markers are, for each program"

"$run" --smoke --no-install -p 'no such program' midden="$MIDDEN_LIBRARY" > out 2> err
test $? -eq 2 && grep -q 'no program matches no such program' err
tap_check $? "a pattern that matches nothing is named"

"$run" --smoke --no-install midden=/nowhere.so > out 2> err
test $? -eq 2 && grep -q 'midden: there is no /nowhere.so' err
tap_check $? "a library that is not there is named"

"$run" --smoke --no-install --markers none midden="$MIDDEN_LIBRARY" > out 2> err
test $? -eq 2 && grep -q 'takes numbers like 1,2' err
tap_check $? "markers are numbers"

# Two that are none: the one cannot collect, the other overwrites an object that is still in use.
cat > false.c <<'E2'
#include <stdlib.h>
#include <string.h>
void *midden_alloc(size_t bytes)
{
    static void *kept;
    static unsigned calls;
    void *object = calloc(1, bytes);
    if (LOSES && ++calls % 1000 == 0)
        memset(kept, 0, 16);
    if (calls % 1000 == 500)
        kept = object;
    return object;
}
void *midden_alloc_leaf(size_t bytes) { return malloc(bytes); }
long midden_collect(int generation) { return LOSES ? 0 : generation - 3; }
int midden_callbacks_add(void *callback, void *arg) { return callback == arg; }
E2
for loses in 0 1; do
    ${CC:-cc} -shared -fPIC -DLOSES=$loses -Wl,-soname,libmidden.so.0 -o false$loses.so false.c
    "$run" --smoke --no-install --markers 1 -p array midden=false$loses.so > out$loses 2> err
    echo $? > status$loses
done
grep -q 1 status0 && grep -q '^array: midden: status 3: collect: midden_collect failed' out0
tap_check $? "a collector that fails is told"
grep -q 1 status1 && grep -q '^array: the sums differ' out1
tap_check $? "a collector that frees what is in use is told"
tap_done
