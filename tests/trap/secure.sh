#!/bin/sh
# secure.sh - in a set-user-id program the environment has no say.
# Job  A copy of a program that is linked with the library is made set-user-id; the kernel then says AT_SECURE. Options from
#      the environment must be ignored there: a double free aborts whatever MIDDEN_OPTIONS says, and nothing is written.
# Use  [MIDDEN_LIBRARY=path] tests/trap/secure.sh

. "$(dirname "$0")/../program/cc.sh"

test "$MIDDEN_LIBRARY" = none && tap_skip_all "no library"
test "$(id -u)" -eq 0 || tap_skip_all "only root can give a program to another user"
id nobody >/dev/null 2>&1 || tap_skip_all "no user nobody"

cat > "$scratch/secure.c" <<'END'
#include <stdio.h>
#include <stdlib.h>
#include <sys/auxv.h>
int main(int argc, char **argv)
{
    void *volatile p = malloc(100);
    void *volatile q = malloc(100);
    free(p);
    printf("secure %lu\n", getauxval(AT_SECURE));
    fflush(stdout);
    if (argc > 1)
        free(p);
    return q == argv;
}
END
directory=$(dirname "$MIDDEN_LIBRARY")
cc_compile -o "$scratch/secure" "$scratch/secure.c" "$MIDDEN_LIBRARY" "-Wl,-rpath,$directory" -Wl,--disable-new-dtags ||
    tap_bail "cannot link with the library"
chown nobody "$scratch/secure" && chmod 4755 "$scratch/secure" || tap_skip_all "cannot make a set-user-id program"

# attempt OPTIONS WORDS...: without any preload
attempt() {
    attempt_options=$1
    shift
    { MIDDEN_OPTIONS=$attempt_options "$@" > "$scratch/out" 2> "$scratch/err"; } 2>/dev/null
    status=$?
}

attempt "" "$scratch/secure"
if ! grep -q 'secure 1' "$scratch/out"; then tap_skip_all "this file system honours no set-user-id bit"; fi
tap_check "$status" "the program runs"
attempt corruption=ignore "$scratch/secure" twice
test "$status" -eq 134
tap_check $? "corruption=ignore is ignored: a double free aborts"
attempt stats=exit,confirm=on "$scratch/secure"
test "$status" -eq 0 && ! test -s "$scratch/err"
tap_check $? "stats=exit and confirm=on write nothing"
attempt strict=on,nonsense=1 "$scratch/secure"
test "$status" -eq 0 && ! test -s "$scratch/err"
tap_check $? "nonsense under strict=on is not even read"
chown root "$scratch/secure" && chmod 755 "$scratch/secure"
attempt corruption=ignore "$scratch/secure" twice
test "$status" -eq 0
tap_check $? "the same options count in the same program once it is not set-user-id"
tap_done
