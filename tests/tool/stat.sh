#!/bin/sh
# stat.sh - midden stat: its table sums to RSS, its blocks are exact, and it says why it cannot look.

. "$(dirname "$0")/tool.sh"

# A program that knows what it holds, prints it and keeps it. With churn: beside four threads that allocate without end;
# with fork: and so does a child.
if ! compile known -O0 -fno-builtin -w -I"$top/include" -lpthread -ldl <<'CODE'
#define _GNU_SOURCE
#include <dlfcn.h>
#include <malloc.h>
#include <midden/arena.h>
#include <midden/heap.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void *volatile slot[1000], *kept[1000], *large[3];

static void *churn(void *arg)
{
    unsigned seed = (unsigned)(size_t)arg;
    for (;;) {
        unsigned r = rand_r(&seed);
        size_t bytes = r % 100 == 0 ? r % 900000 : r % 3000;
        void *block = malloc(bytes);
        memset(block, 1, bytes);
        free(__atomic_exchange_n(&slot[rand_r(&seed) % 1000], block, __ATOMIC_SEQ_CST));
    }
}

static void hold(void)
{
    for (int i = 0; i < 1000; i++)
        memset(kept[i] = malloc(20000), 1, 20000);
    for (int i = 0; i < 1000; i += 2)
        free(kept[i]);
    for (int i = 0; i < 3; i++)
        large[i] = malloc(3000000);
    memset(large[0], 1, 3000000);
    struct midden_arena *(*make)(const char *) = dlsym(RTLD_DEFAULT, "midden_arena_create");
    void *(*take)(struct midden_arena *, size_t) = dlsym(RTLD_DEFAULT, "midden_arena_alloc");
    struct midden_arena *arena = make("known");
    for (int i = 0; i < 5000; i++)
        memset(take(arena, 40), 1, 40);
}

int main(int count, char **word)
{
    pthread_t thread;
    struct midden_stats stats = { .size = sizeof stats };
    int (*ask)(struct midden_stats *) = dlsym(RTLD_DEFAULT, "midden_stats");
    setvbuf(stdout, NULL, _IONBF, 0);
    hold();
    for (int i = 1; i <= 4 && count > 1 && !strcmp(word[1], "churn"); i++)
        pthread_create(&thread, NULL, churn, (void *)(size_t)i);
    ask(&stats);
    if (count > 1 && !strcmp(word[1], "fork") && fork() == 0) {
        sleep(60);
        _exit(0);
    }
    printf("ready %zu %zu\n", stats.live_bytes, stats.live_blocks);
    sleep(60);
    return 0;
}
CODE
then
    tap_skip_all "no compiler for the program that is looked at"
fi

# living WORDS...: start them under the library, wait until they say ready; their number in $alive
living() {
    : > "$scratch/said"
    env LD_PRELOAD="$MIDDEN_LIBRARY" "$@" > "$scratch/said" 2>&1 < /dev/null &
    alive=$!
    tries=0
    until grep -q ready "$scratch/said" || test $tries -ge 50; do
        sleep 0.1
        tries=$((tries + 1))
    done
}
# Only what living started is ended.
bury() {
    kill "$alive"
    wait "$alive" 2> /dev/null
}
# figure GROUP NAME: a number of the JSON in $out; GROUP "" is the top
figure() {
    if test -n "$1"; then
        sed -n "s/^\"$1\":.*[{,]\"$2\":\\(-\\{0,1\\}[0-9]*\\).*/\\1/p" "$out"
    else
        sed -n "1s/.*[{,]\"$2\":\\(-\\{0,1\\}[0-9]*\\).*/\\1/p" "$out"
    fi
}
# rows_sum: of all rows of the JSON in $out
rows_sum() {
    sed -n 's/^"rows":{\(.*\)},$/\1/p' "$out" | tr ',' '\n' | awk -F: '{ sum += $2 } END { printf "%d\n", sum }'
}
# equal GOT WANTED TEXT...
equal() {
    tool_got=$1 tool_wanted=$2
    shift 2
    test -n "$tool_got" && test "$tool_got" = "$tool_wanted"
    tap_check $? "$*: $tool_got, and $tool_wanted was wanted"
}

# -- a process at rest -----------------------------------------------------------------------------------

living "$scratch/known"
read -r _ bytes blocks < "$scratch/said"
midden stat "$alive"
exits 0 "a process at rest"
for label in "live blocks" "live large blocks" "live in arenas" "free, whole pages" "midden's tables" stacks \
    "code, data and files" RSS "verdict: "; do
    says "$out" "$label" "the table has: $label"
done
midden stat --json "$alive"
exits 0 "as JSON"
says "$out" '{"schema":"midden.stat/1"' "the schema comes first"
equal "$(rows_sum)" "$(figure '' rss)" "the rows sum to RSS"
equal "$(figure rows moved)" 0 "nothing moved"
equal "$(($(figure blocks live_bytes) + $(figure blocks large_bytes) + $(figure blocks arena_bytes)))" "$bytes" \
    "live bytes are what the process says of itself"
equal "$(($(figure blocks live) + $(figure blocks large) + $(figure blocks arena)))" "$blocks" \
    "live blocks are what the process says of itself"
equal "$(figure blocks large)" 3 "large blocks"
equal "$(figure blocks arena)" 5000 "blocks of the arena"
equal "$(figure blocks arena_bytes)" $((5000 * 48)) "bytes of the arena"
grep -q '{"size":20480,"slabs":[0-9]*,"blocks":500,"capacity":[0-9]*,"live":10240000,' "$out"
tap_check $? "500 blocks of 20000 bytes are 10240000 bytes of class 20480"
rss=$(awk '/^VmRSS:/ { print $2 * 1024 }' "/proc/$alive/status")
awk -v a="$rss" -v b="$(figure '' rss)" 'BEGIN { d = a > b ? a - b : b - a; exit d > 1048576 }'
tap_check $? "RSS is about what the kernel says: $(figure '' rss) and $rss"
state=$(awk '/^(State|TracerPid|SigPnd|ShdPnd)/ { print $2 }' "/proc/$alive/status" | tr '\n' ' ')
case $state in "S 0 "*) tap_ok "the process sleeps on, with no tracer" ;; *) tap_not_ok "the process sleeps on: $state" ;; esac
before=$(awk '{ print $2 }' "/proc/$alive/statm")
midden stat "$alive"
equal "$(awk '{ print $2 }' "/proc/$alive/statm")" "$before" "its RSS is the same after one more look"

# -- files ----------------------------------------------------------------------------------------------------

cp "$out" "$scratch/table"
midden stat --json -o "$scratch/saved.json" "$alive"
exits 0 "saved to a file"
is_empty "$out" "nothing goes to stdout then"
equal "$(stat -c %a "$scratch/saved.json")" 600 "the file is its owner's alone"
midden stat "$scratch/saved.json"
exits 0 "a saved file"
cmp -s "$out" "$scratch/table"
tap_check $? "shows the table the process showed"
midden stat --json "$scratch/saved.json"
cmp -s "$out" "$scratch/saved.json"
tap_check $? "JSON comes back unchanged"
midden stat --classes "$scratch/saved.json"
says "$out" "   20480          500 " "--classes lists the classes"
midden stat --words "$scratch/saved.json"
says "$out" "shared memory" "--words shows rows that are empty too"
says "$out" "bitmaps, descriptors of slabs" "and what they mean"
ln -s "$scratch/target" "$scratch/link"
midden stat -o "$scratch/link" "$alive"
exits 125 "nothing is written through a symbolic link"
test ! -e "$scratch/target"
tap_check $? "and its target is not made"

# damaged TEXT SED-COMMAND: a saved file that was changed is refused
damaged() {
    sed "$2" "$scratch/saved.json" > "$scratch/damaged.json"
    midden stat "$scratch/damaged.json"
    exits 125 "$1 is refused"
}
damaged "a file that does not sum" 's/"stacks":[0-9]*/"stacks":1/'
says "$err" "do not sum" "because it does not sum"
damaged "another schema" 's|midden.stat/1|midden.stat/2|'
says "$err" "midden.stat/2" "and named"
damaged "a file cut in the middle" '3,$d'
says "$err" "is not what" "and said to be no survey"
damaged "a number too large" 's/"swap":0/"swap":99999999999999999999999/'
sed 's/"swap":0/"swap":0,"later":{"a":[1,{"b":"]"}]},"more":true/' "$scratch/saved.json" > "$scratch/later.json"
midden stat "$scratch/later.json"
exits 0 "names that are not known are skipped"

# -- pages that cannot be told -----------------------------------------------------------------------------------

if unshare -m true 2> /dev/null; then
    unshare -m sh -c "mount --bind /dev/null /proc/$alive/pagemap && exec timeout 60 \"$MIDDEN_COMMAND\" stat --json $alive" > "$out"
    equal "$(sed -n '1s/.*"pages":"\([a-z]*\)".*/\1/p' "$out")" estimate "without pagemap the rows are estimates"
    equal "$(rows_sum)" "$(figure '' rss)" "which sum to RSS"
    equal "$(($(figure blocks live) + $(figure blocks large) + $(figure blocks arena)))" "$blocks" "of blocks counted exactly"
else
    tap_skip "without pagemap the rows are estimates" "no mount namespaces here"
fi

# -- another user ------------------------------------------------------------------------------------------------

if test "$(id -u)" -eq 0 && command -v setpriv > /dev/null; then
    mkdir "$scratch/open"
    cp "$MIDDEN_COMMAND" "$scratch/open/midden"
    # libtool's wrapper script leads to a program elsewhere
    test ! -e "$(dirname "$MIDDEN_COMMAND")/.libs/midden" || cp "$(dirname "$MIDDEN_COMMAND")/.libs/midden" "$scratch/open/midden"
    chmod 755 "$scratch" "$scratch/open" "$scratch/open/midden"
    setpriv --reuid 65534 --clear-groups "$scratch/open/midden" stat "$alive" > "$out" 2> "$err"
    status=$?
    exits 125 "a process of another user"
    says "$err" "(of root) may not be read" "is said to be another user's"
else
    tap_skip "a process of another user" "needs root and setpriv"
fi
bury

# -- processes that move -----------------------------------------------------------------------------------------

living "$scratch/known" churn
failed=0 torn=0 far=0
for _ in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
    midden stat --json "$alive"
    test "$status" -eq 0 || failed=$((failed + 1))
    test "$(rows_sum)" = "$(figure '' rss)" || torn=$((torn + 1))
    moved=$(figure rows moved)
    test "$((${moved#-} * 5))" -lt "$(figure '' rss)" || far=$((far + 1))
done
equal "$failed" 0 "twenty looks at four threads that allocate without end, failed"
equal "$torn" 0 "tables that do not sum"
equal "$far" 0 "remainders above a fifth"
equal "$(figure '' threads)" 5 "threads"
test "$(figure rows stacks)" -ge 20480
tap_check $? "the stacks of threads are found: $(figure rows stacks) bytes"
kill -0 "$alive"
tap_check $? "and the process goes on"
bury

living "$scratch/known" fork
read -r _ bytes blocks < "$scratch/said"
child=$(cat "/proc/$alive/task/$alive/children" 2>/dev/null)
if test -n "$child"; then
    midden stat --json "${child% }"
    exits 0 "a forked child"
    equal "$(rows_sum)" "$(figure '' rss)" "sums to its RSS"
    equal "$(figure rows moved)" 0 "nothing moved"
    equal "$(($(figure blocks live_bytes) + $(figure blocks large_bytes) + $(figure blocks arena_bytes)))" "$bytes" \
        "and holds what its parent held"
    kill "${child% }"
else
    tap_skip "a forked child" "the kernel does not tell the children of a thread"
fi
bury

# -- where the library is ----------------------------------------------------------------------------------------

cp "$library_real" "$scratch/libmidden.so.0"
env LD_PRELOAD="$scratch/libmidden.so.0" "$scratch/known" > "$scratch/said" &
alive=$!
until grep -q ready "$scratch/said"; do sleep 0.1; done
rm "$scratch/libmidden.so.0"
midden stat "$alive"
exits 0 "a process whose library was deleted since"
says "$out" "(deleted)" "and its library is named"
bury
if command -v python3 > /dev/null; then
    living python3 -c 'x = [bytearray(i % 5000) for i in range(20000)]; y = x[::7]; del x
import time; print("ready", flush=True); time.sleep(60)'
    midden stat --json "$alive"
    exits 0 "python3"
    equal "$(rows_sum)" "$(figure '' rss)" "the rows of python3 sum to RSS"
    bury
fi
MIDDEN_OPTIONS=midden=off living sh -c 'echo ready; exec sleep 60'
midden stat "$alive"
exits 0 "a process with midden=off"
says "$out" "has given no block" "is told of as such"
bury

# sleeping LIBRARY: a process with it, and without ours; its number in $alive
sleeping() {
    LD_PRELOAD=$1 sleep 60 &
    alive=$!
    sleep 0.3
}
if echo 'int nothing;' | compile libmidden.so.0 -shared -fPIC; then
    sleeping "$scratch/libmidden.so.0"
    midden stat "$alive"
    exits 125 "a library that publishes nothing"
    says "$err" "of another version" "is said to be of another version"
    bury
fi
if compile libmidden.so.77 -shared -fPIC -w -Wl,--hash-style=gnu <<'CODE'
const struct {
    char     magic[8];
    unsigned bytes, revision, chart_bytes, unused;
    char     version[24];
    void    *chart, *counts;
} midden_published = { "middenP1", sizeof midden_published, 77, 0, 0, "9.9.9", 0, 0 };
CODE
then
    sleeping "$scratch/libmidden.so.77"
    midden stat "$alive"
    exits 125 "a library with other tables"
    says "$err" "midden 9.9.9" "its version is told"
    says "$err" "77 there and" "and what differs"
    bury
fi

# -- processes without it ----------------------------------------------------------------------------------------

sleep 60 &
alive=$!
sleep 0.2
midden stat "$alive"
exits 125 "a process without the library"
says "$err" "midden doctor $alive" "the way to the reason is told"
bury
cat > "$scratch/small.c" <<'CODE'
void _start(void) { for (;;) __asm__ volatile("int $0x80" : : "a"(29) : "memory"); }
CODE
if ${CC:-cc} -m32 -nostdlib -static -fno-pie -no-pie -fno-stack-protector -o "$scratch/small" "$scratch/small.c" 2> /dev/null; then
    "$scratch/small" 2> /dev/null &
    alive=$!
    sleep 0.2
    if kill -0 "$alive" 2> /dev/null; then
        midden stat "$alive"
        exits 125 "a program of 32 bits"
        says "$err" "32 bits" "is said to be one"
        bury
    else
        tap_skip "a program of 32 bits" "this kernel runs none"
    fi
else
    tap_skip "a program of 32 bits" "this compiler makes none"
fi
midden stat 999999999
exits 125 "a process that is not there"
says "$err" "there is no process" "is said not to be there"
midden stat "$scratch/nowhere.json"
exits 125 "a file that is not there"
midden stat
exits 2 "nothing to look at is a usage error"
midden stat 1 2
exits 2 "two processes are a usage error"
midden stat --jsn 1
exits 2 "an unknown option is a usage error"
says "$err" "did you mean --json" "with the nearest one"
tap_done
