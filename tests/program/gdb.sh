#!/bin/sh
# gdb.sh - gdb: runs a program under ptrace and reads its symbols; the program gets the library as well.

. "$(dirname "$0")/lib.sh"
tap_need gdb gcc
gdb -nx -batch -ex 'python print(1)' >/dev/null 2>&1 || tap_skip_all "gdb has no Python"
probe gdb

# Addresses, thread names and process ids differ from run to run; the debugger may note that it knows no symbols.
normalise() {
    sed -e 's/0x[0-9a-f]\{6,\}/ADDRESS/g' -e 's/(LWP [0-9]*)/(LWP N)/g' -e 's/process [0-9]*/process N/' \
        -e '/^warning:/d' -e '/libthread_db/d'
}

prepare() {
    cat > debugged.c <<'END'
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
static void *run(void *arg) { return malloc((size_t)arg); }
static int inner(int *p) { return *p; }
static int outer(char *text) { printf("%s\n", text); return inner(NULL); }
int main(void)
{
    pthread_t t;
    void *p;
    pthread_create(&t, NULL, run, (void *)77);
    pthread_join(t, &p);
    free(p);
    return outer("about to fail");
}
END
    gcc -g -O0 debugged.c -o debugged -lpthread
}
set -- gdb -nx -batch -iex 'set debuginfod enabled off' -iex 'set startup-with-shell off'
same_output "run, a crash, a backtrace, an inferior call of malloc" "$@" -ex run -ex backtrace -ex 'frame 1' -ex 'info locals' \
    -ex 'print text' -ex 'print sizeof(*(char (*)[9]) malloc(9))' ./debugged
same_output "breakpoints, finish, disassembly" "$@" -ex 'break outer' -ex run -ex 'info args' -ex 'disassemble outer' -ex kill \
    ./debugged
same "its Python" "$@" -ex 'python print(sum(len(str(i)) for i in range(100000)))'
tap_done
