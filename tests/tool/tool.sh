# shellcheck shell=sh disable=SC2034
# tool.sh - what the drivers of the command share: where it is, and how an answer of it is compared.
#
# MIDDEN_COMMAND   the command; midden below the current directory otherwise
# MIDDEN_LIBRARY   the library it preloads, as for every driver (tap.sh)

. "$(dirname "$0")/../program/tap.sh"

: "${MIDDEN_COMMAND:=$PWD/midden}"
test -x "$MIDDEN_COMMAND" || tap_bail "no command at $MIDDEN_COMMAND; set MIDDEN_COMMAND"
test "$MIDDEN_LIBRARY" != none || tap_skip_all "the command needs a library to preload"
export MIDDEN_LIBRARY
# As the command names it: the directory resolved, the file not.
library_named=$(cd "$(dirname "$MIDDEN_LIBRARY")" && pwd -P)/$(basename "$MIDDEN_LIBRARY")
unset MIDDEN_HANDSHAKE

top=$(cd "$(dirname "$0")/../.." && pwd)
out=$scratch/out
err=$scratch/err

# midden WORDS...: the command, its output in $out and $err, its exit status in $status
midden() {
    timeout -k 5 60 "$MIDDEN_COMMAND" "$@" >"$out" 2>"$err" </dev/null
    status=$?
}

# exits CODE TEXT...: the last call ended with CODE
exits() {
    tool_code=$1
    shift
    if test "$status" -eq "$tool_code"; then
        tap_ok "$@"
    else
        tap_not_ok "$@"
        echo "#   exit status $status instead of $tool_code"
        tap_diagnose "$err"
    fi
}

# says FILE WORDS TEXT...: FILE holds WORDS, letter by letter
says() {
    tool_file=$1 tool_words=$2
    shift 2
    if grep -Fq -e "$tool_words" "$tool_file"; then
        tap_ok "$@"
    else
        tap_not_ok "$@"
        echo "#   looked for: $tool_words"
        tap_diagnose "$tool_file"
    fi
}

# is_empty FILE TEXT...
is_empty() {
    tool_file=$1
    shift
    test ! -s "$tool_file"
    tap_check $? "$@"
    tap_diagnose "$tool_file"
}

# compile NAME FLAGS...: the C program on stdin becomes $scratch/NAME; false if this compiler cannot
compile() {
    tool_name=$1
    shift
    cat >"$scratch/$tool_name.c"
    # shellcheck disable=SC2086  # CC may be words
    ${CC:-cc} -g -o "$scratch/$tool_name" "$scratch/$tool_name.c" "$@" >"$scratch/cc.log" 2>&1
}

# A program whose heap is corrupted: it frees a block twice.
compile_double_free() {
    compile double_free -O0 -fno-builtin -w <<'CODE'
#include <stdlib.h>
int main(void) { char *block = malloc(40); free(block); free(block); return 0; }
CODE
}
