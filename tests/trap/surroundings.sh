#!/bin/sh
# surroundings.sh - places where something usual is missing: /proc, /sys, a readable directory, a second processor.
# Use  [MIDDEN_LIBRARY=path] tests/trap/surroundings.sh

. "$(dirname "$0")/../program/cc.sh"

cat > "$scratch/work.c" <<'END'
#include "tap.h"
static void *run(void *seed) { return (void *)(long)churn((unsigned)(uintptr_t)seed, 5000); }
int main(void)
{
    pthread_t thread[3];
    long      bad = churn(1, 20000);
    for (long i = 0; i < 3; i++)
        pthread_create(&thread[i], NULL, run, (void *)i);
    for (int i = 0; i < 3; i++) {
        void *result = NULL;
        pthread_join(thread[i], &result);
        bad += (long)result;
    }
    malloc_trim(0);
    return bad != 0;
}
END
cc_compile -I"$cc_source" -o "$scratch/work" "$scratch/work.c" -lpthread || tap_bail "the program does not compile"

# place TEXT WORDS...: the program works and is silent when started by these words
place() {
    place_text=$1
    shift
    { timeout -k 5 60 "$@" env ${preload:+LD_PRELOAD="$preload"} "$scratch/work" > "$scratch/out" 2> "$scratch/err"; } 2>/dev/null
    place_status=$?
    test "$place_status" -eq 0 && ! test -s "$scratch/err"
    tap_check $? "$place_text"
    test "$place_status" -eq 0 || { echo "#   status $place_status"; tap_diagnose "$scratch/err"; }
}

preload=
test "$MIDDEN_LIBRARY" = none || preload=$MIDDEN_LIBRARY
if unshare -m true 2>/dev/null; then
    place "without /proc" unshare -m sh -c 'umount -l /proc && exec "$@"' sh
    place "without /sys" unshare -m sh -c 'umount -l /sys && exec "$@"' sh
    place "without both" unshare -m sh -c 'umount -l /sys && umount -l /proc && exec "$@"' sh
else
    tap_skip "without /proc" "no private mounts here"
fi
place "on one processor" taskset -c 0
place "with the lowest priority" nice -n 19
place "with few descriptors" sh -c 'ulimit -n 16; exec "$@"' sh
place "with few processes allowed to lock memory" sh -c 'ulimit -l 0; exec "$@"' sh
place "with no core, no files" sh -c 'ulimit -c 0; ulimit -f 0; exec "$@"' sh
place "with unlimited stack" sh -c 'ulimit -s unlimited; exec "$@"' sh
place "from a directory that is gone" sh -c 'd=$(mktemp -d) && cd "$d" && rmdir "$d" && exec "$@"' sh
tap_done
