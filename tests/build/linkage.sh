#!/bin/sh
# linkage.sh - how the library is linked: what it needs, what it promises the loader, what it must not ask for.

. "$(dirname "$0")/../program/tap.sh"
tap_need readelf nm

readelf -dW "$MIDDEN_LIBRARY" > "$scratch/dynamic"
readelf -lW "$MIDDEN_LIBRARY" > "$scratch/segments"
nm -D --undefined-only "$MIDDEN_LIBRARY" | sed -e 's/^ *//' -e 's/@.*//' > "$scratch/undefined"

has() {
    grep -Eq "$2" "$scratch/$1"
    tap_check $? "$3"
}

lacks() {
    ! grep -Eq "$2" "$scratch/$1"
    tap_check $? "$3"
    grep -E "$2" "$scratch/$1" | sed 's/^/#   /'
}

has dynamic 'SONAME.*\[libmidden\.so\.0\]' "its name is libmidden.so.0"
has dynamic 'FLAGS_1.*NODELETE' "dlclose leaves it in place"
has dynamic 'BIND_NOW|FLAGS_1.*NOW' "every name is bound at load"
has segments 'GNU_RELRO' "its tables are read-only after relocation"
has dynamic 'FLAGS\).*STATIC_TLS' "its thread-locals are initial-exec"
lacks dynamic 'TEXTREL' "its code is never written to"
lacks undefined '__tls_get_addr' "no thread-local is reached by a call"
grep NEEDED "$scratch/dynamic" | grep -Ev '\[(libc\.so\.6|ld-linux[^]]*)\]' > "$scratch/needed"
test ! -s "$scratch/needed"
tap_check $? "it needs nothing but libc"
tap_diagnose "$scratch/needed"
lacks segments 'GNU_STACK.*RWE' "it does not ask for an executable stack"
tap_done
