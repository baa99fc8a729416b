#!/bin/sh
# check.sh - midden check: 24 on a corruption, 125 if nobody looked, else the command's own status; signals pass through.

. "$(dirname "$0")/tool.sh"

midden check true
exits 0 "a sound command passes"
is_empty "$err" "and nothing is said"
midden check -- sh -c 'echo out; echo err >&2; exit 5'
exits 5 "the exit status is the command's"
says "$out" out "its output passes"
says "$err" err "its stderr passes"
midden check sh -c 'kill -KILL $$'
exits 137 "a command ended by a signal: 128 + its number"
midden check no-such-command-here
exits 127 "a command that is not there"
echo 'exit 0' > "$scratch/plain"
midden check "$scratch/plain"
exits 126 "a command that is not executable"
MIDDEN_LIBRARY=$scratch/nowhere.so midden check true
exits 125 "no library"

# -- the handshake ----------------------------------------------------------------------------------

# shellcheck disable=SC2016
midden check sh -c 'head -c 8 "$MIDDEN_HANDSHAKE"'
test "$(cat "$out")" = middenH1
tap_check $? "the command can read the page of the handshake"
# A library that is no malloc and says nothing: it loads, but nobody looks.
if echo 'int nothing;' | compile mute.so -shared -fPIC; then
    MIDDEN_LIBRARY=$scratch/mute.so midden check true
    exits 125 "a library that does not answer is no library"
    says "$err" "was not instrumented" "and that is said"
fi
midden check env -u LD_PRELOAD sh -c 'exit 3'
exits 3 "what the command starts without the library is its own affair"

# -- corruption ---------------------------------------------------------------------------------------

if compile_double_free; then
    midden check "$scratch/double_free"
    exits 24 "a double free is caught"
    says "$err" "heap corruption in process" "the gate says so"
    says "$err" "midden check: heap corruption in process" "in its own name"
    grep '^midden check:' "$err" | grep -q 'double free: free(0x'
    tap_check $? "with the sentence of the fault"
    midden check sh -c '"$1" 2>/dev/null || true; exit 0' sh "$scratch/double_free"
    exits 24 "a double free in a child whose status nobody looks at is caught too"
    # shellcheck disable=SC2016
    midden check sh -c '"$1" 2>/dev/null & echo $!; wait' sh "$scratch/double_free"
    exits 24 "and in the background"
    says "$err" "process $(cat "$out"):" "the process is named"
    # shellcheck disable=SC2016
    midden check sh -c 'for i in 1 2 3 4 5 6 7 8 9 10; do "$1" 2>/dev/null; done; exit 0' sh "$scratch/double_free"
    exits 24 "ten of them are caught"
    says "$err" "10 were caught" "and counted"
else
    tap_skip "a double free is caught" "no C compiler here"
fi

# -- signals ------------------------------------------------------------------------------------------

# signalled SIGNAL CODE TEXT: sent to midden check, it reaches the command, which then exits with CODE
signalled() {
    rm -f "$scratch/ready"
    # A background job of a shell ignores SIGINT, and a trap does not change that.
    # shellcheck disable=SC2016
    env --default-signal=INT "$MIDDEN_COMMAND" check sh -c 'trap "exit $2" "$1"; : > "$3"; n=0
        while test $n -lt 200; do sleep 0.1; n=$((n + 1)); done' sh "$1" "$2" "$scratch/ready" > "$out" 2> "$err" &
    gate=$!
    tries=0
    while test ! -e "$scratch/ready" && test $tries -lt 100; do
        sleep 0.1
        tries=$((tries + 1))
    done
    kill -s "$1" "$gate"
    wait "$gate"
    status=$?
    exits "$2" "$3"
}
signalled TERM 61 "SIGTERM is passed on"
signalled HUP 62 "SIGHUP is passed on"
signalled USR1 63 "SIGUSR1 is passed on"
signalled INT 64 "SIGINT is passed on"

# The terminal sends SIGINT to the whole process group: the command must see it once, not twice.
if command -v python3 > /dev/null; then
    cat > "$scratch/count.py" <<'CODE'
import signal, sys, time
seen = []
signal.signal(signal.SIGINT, lambda *_: seen.append(1))
print("ready", flush=True)
time.sleep(1.5)
sys.exit(70 + len(seen))
CODE
    timeout 30 python3 - "$MIDDEN_COMMAND" "$scratch/count.py" > "$out" 2> "$err" <<'CODE'
import os, pty, sys
pid, terminal = pty.fork()
if pid == 0:
    os.execv(sys.argv[1], [sys.argv[1], "check", "python3", sys.argv[2]])
told = b""
while b"ready" not in told:
    told += os.read(terminal, 1024)
os.write(terminal, b"\x03")
sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
CODE
    status=$?
    exits 71 "an interrupt from the terminal reaches the command once"
else
    tap_skip "an interrupt from the terminal reaches the command once" "no python3 here"
fi

# A parent that ignores SIGCHLD leaves it ignored in midden.
if compile deaf <<'CODE'
#include <signal.h>
#include <unistd.h>
int main(int argc, char **argv) { (void)argc; signal(SIGCHLD, SIG_IGN); execvp(argv[1], argv + 1); return 99; }
CODE
then
    timeout 20 "$scratch/deaf" "$MIDDEN_COMMAND" check sh -c 'exit 7' > "$out" 2> "$err"
    status=$?
    exits 7 "an ignored SIGCHLD does not lose the exit status"
fi
tap_done
