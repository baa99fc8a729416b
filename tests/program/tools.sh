#!/bin/sh
# tools.sh - small programs that everybody runs.

. "$(dirname "$0")/lib.sh"
tap_need ls find awk tar sed grep
probe ls find awk tar sed grep

prepare() {
    mkdir -p a/b/c
    for i in 1 2 3 4 5 6 7 8 9; do
        awk -v n=$i 'BEGIN { for (k = 0; k < 3000; k++) print k, k * n % 101 }' > a/b/f$i
    done
    ln -s f1 a/b/c/link
    touch -h -d 2001-02-03 a/b/* a/b/c/* a/b a
}
same "env" env -i A=1 B=2 env
same "true and false" sh -c 'true; echo $?; false; echo $?'
same "ls -lR" ls -lR --time-style=full-iso a
same "ls of nothing" ls no-such-file
same "find -exec" find a -type f -exec grep -c 99 '{}' +
same "awk with big tables" awk '
    { t[$1 % 50] = t[$1 % 50] $2; n[$2]++ }
    END { for (i = 0; i < 50; i++) print i, length(t[i]); for (i = 0; i < 101; i++) print n[i] }' \
    a/b/f1 a/b/f2 a/b/f3
same "tar there and back" sh -c '
    tar --sort=name --mtime=@0 -cf x.tar a && tar -tvf x.tar && mkdir y && tar -C y -xf x.tar && diff -r a y/a'
same "sed and grep" sh -c '
    sed -n "s/\([0-9]*\) \([0-9]*\)/\2 \1/p" a/b/f7 | grep -E "^(9|10)+ .*7$" | head -50'
same "dd, od, md5sum" sh -c 'dd if=a/b/f3 bs=1k count=8 2>/dev/null | od -c | md5sum'
same "date and printf" sh -c 'date -d @1000000000; printf "%s|" a b c'
same "getent, id" sh -c 'getent passwd root; id -u root'
same "a program killed by a signal" sh -c 'kill -SEGV $$'
same "a program that is not there" env no-such-program-anywhere
same "make" sh -c '
    printf "all: x\n\nx: a/b/f1\n\tcp a/b/f1 x\n\t@echo made\n" > Makefile; make -j4 --no-print-directory; rm -f Makefile x'
if command -v man >/dev/null 2>&1 && man -w ls >/dev/null 2>&1; then
    same "man" sh -c 'MANWIDTH=72 MAN_KEEP_FORMATTING= man ls'
fi
if command -v xargs >/dev/null 2>&1; then
    same "xargs -P" sh -c 'seq 200 | xargs -P 8 -n 5 echo | sort'
fi
tap_done
