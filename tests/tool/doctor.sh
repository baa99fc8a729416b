#!/bin/sh
# doctor.sh - midden doctor: the machine and living processes. What it says of commands: preflight.sh.

. "$(dirname "$0")/tool.sh"

library=$(readlink -f "$MIDDEN_LIBRARY")

# -- the machine -----------------------------------------------------------------------------------------

midden doctor
exits 0 "nothing is bad on this machine"
for what in library preloading kernel "page size" "huge pages" overcommit mappings reservation \
    membarrier "address space" "data segment" "memory cgroup" seccomp yama LD_PRELOAD ld.so.preload MIDDEN_OPTIONS; do
    grep -Eq "^(ok  |note)  $what  " "$out"
    tap_check $? "a line about: $what"
done
says "$out" "the library started in a program" "that it starts was proved"
midden version
command_version=$(sed -n '1s/midden //p' "$out")
midden run "$MIDDEN_COMMAND" version
library_version=$(sed -n 's/^loaded midden //p' "$out")
if test -n "$library_version"; then
    midden doctor
    says "$out" "command $command_version, library $library_version" "the versions of command and library are told"
else
    tap_skip "the versions of command and library are told" "this library has none"
fi
midden doctor
grep -Evq '^(ok  |note|bad )  ' "$out"
test $? -eq 1
tap_check $? "every line has its grade"

MIDDEN_LIBRARY=$scratch/nowhere.so midden doctor
exits 1 "no library is bad"
says "$out" "bad   library" "and said"
if echo 'int nothing;' | compile mute.so -shared -fPIC; then
    MIDDEN_LIBRARY=$scratch/mute.so midden doctor
    exits 1 "a library that does not start is bad"
    says "$out" "bad   preloading" "and said"
fi
MIDDEN_OPTIONS=limmit=3 midden doctor
exits 1 "an unknown key in MIDDEN_OPTIONS is bad"
LD_PRELOAD=libasan.so.8 midden doctor
exits 1 "a sanitizer in LD_PRELOAD is bad"
# shellcheck disable=SC3045  # dash and bash have it
(ulimit -v 4000000 && midden doctor && grep -q '^note  address space' "$out" && grep -q '^note  reservation' "$out")
tap_check $? "a limit on address space is noted"

# -- living processes ----------------------------------------------------------------------------------------

# sleeps: has the process of this number become sleep(1), past its loader?
sleeps() {
    test "$(cat "/proc/$1/comm" 2> /dev/null)" = sleep && grep -q '^State:.S' "/proc/$1/status"
}

# living WORDS...: start them, wait until the process is what it is going to be; its number in $alive
living() {
    "$@" < /dev/null > /dev/null 2>&1 &
    alive=$!
    tries=0
    while ! sleeps "$alive" && test $tries -lt 50; do
        sleep 0.1
        tries=$((tries + 1))
    done
}
# Only what living started is ended.
bury() {
    kill "$alive"
    wait "$alive" 2> /dev/null
}

living "$MIDDEN_COMMAND" run sleep 60
midden doctor "$alive"
exits 0 "a process with the library is well"
says "$out" "$library" "and its library is named"
bury
living sleep 60
midden doctor "$alive"
exits 1 "a process without the library is not"
says "$out" "LD_PRELOAD was not set" "because nobody asked for it"
bury
living env LD_PRELOAD="$scratch/gone/libmidden.so.0" sleep 60
midden doctor "$alive"
exits 1 "a process that was asked to load a library that is not there"
says "$out" "which it cannot read" "because the file cannot be read"
bury
cp "$library_real" "$scratch/libmidden.so.0"
living env LD_PRELOAD="$scratch/libmidden.so.0" sleep 60
rm "$scratch/libmidden.so.0"
midden doctor "$alive"
exits 0 "a process whose library was replaced since is well"
says "$out" "(deleted)" "but it is noted"
bury
if compile sleep -static <<'CODE'
#include <unistd.h>
int main(void) { return (int)sleep(60); }
CODE
then
    living env LD_PRELOAD="$library" "$scratch/sleep"
    midden doctor "$alive"
    exits 1 "a static process is without the library"
    says "$out" "statically linked" "because it is static"
    bury
fi
if test "$(id -u)" -eq 0 && compile sleep <<'CODE'
#include <unistd.h>
int main(void) { return (int)sleep(60); }
CODE
then
    chown 65534 "$scratch/sleep" && chmod 4755 "$scratch/sleep" && chmod 755 "$scratch"
    living env LD_PRELOAD="$library" "$scratch/sleep"
    midden doctor "$alive"
    exits 1 "a setuid process is without the library"
    says "$out" "AT_SECURE" "because its start was marked as secure"
    bury
fi
midden doctor 999999999
exits 1 "a process that is not there"
says "$out" "there is no process" "is said not to be there"
tap_done
