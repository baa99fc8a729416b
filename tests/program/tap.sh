# tap.sh - the test protocol and the library under test, for every driver here.
# Job  Number the points, keep a scratch directory, find the library. Sourced by lib.sh and cc.sh; needs a POSIX shell.
#
# MIDDEN_LIBRARY   the library to preload; "none" runs without one, so that a driver can be tried on the C library itself
# MIDDEN_SCRATCH   where to build and run; a fresh directory under TMPDIR otherwise
# MIDDEN_LONG      not empty: the long variants too

LC_ALL=C.UTF-8
TZ=UTC
export LC_ALL TZ
unset LD_PRELOAD MIDDEN_OPTIONS CDPATH
ulimit -c 0

tap_count=0
tap_failed=0

tap_bail() {
    echo "Bail out! $*"
    exit 1
}

tap_ok() {
    tap_count=$((tap_count + 1))
    printf 'ok %s - %s\n' "$tap_count" "$*"
}

tap_not_ok() {
    tap_count=$((tap_count + 1))
    tap_failed=$((tap_failed + 1))
    printf 'not ok %s - %s\n' "$tap_count" "$*"
}

tap_skip() {
    tap_count=$((tap_count + 1))
    printf 'ok %s - %s # SKIP %s\n' "$tap_count" "$1" "$2"
}

# tap_skip_all REASON: the whole script has nothing to test here
tap_skip_all() {
    echo "1..0 # SKIP $*"
    exit 0
}

# tap_check STATUS TEXT...: a point that holds iff STATUS is 0
tap_check() {
    tap_status=$1
    shift
    if test "$tap_status" -eq 0; then tap_ok "$@"; else tap_not_ok "$@"; fi
}

# tap_diagnose FILE: its first lines as diagnostics
tap_diagnose() {
    sed -e 's/^/#   /' -e 20q "$1"
}

tap_done() {
    echo "1..$tap_count"
    test "$tap_failed" -eq 0
    exit
}

tap_need() {
    for tap_word in "$@"; do
        command -v "$tap_word" >/dev/null 2>&1 || tap_skip_all "no $tap_word here"
    done
}

# The library, as an absolute path; the default is where libtool leaves it below the build directory.
: "${MIDDEN_LIBRARY:=$PWD/.libs/libmidden.so.0}"
case $MIDDEN_LIBRARY in
none) ;;
/*) test -r "$MIDDEN_LIBRARY" || tap_bail "no library at $MIDDEN_LIBRARY; set MIDDEN_LIBRARY" ;;
*) MIDDEN_LIBRARY=$PWD/$MIDDEN_LIBRARY
    test -r "$MIDDEN_LIBRARY" || tap_bail "no library at $MIDDEN_LIBRARY; set MIDDEN_LIBRARY" ;;
esac

# Libtool's .libs/libmidden.so.0 is a link; the maps of a process show what it leads to.
library_real=$(readlink -f "$MIDDEN_LIBRARY")

if test -n "${MIDDEN_SCRATCH:-}"; then
    mkdir -p "$MIDDEN_SCRATCH" || tap_bail "cannot make $MIDDEN_SCRATCH"
    scratch=$(cd "$MIDDEN_SCRATCH" && pwd)
else
    scratch=$(mktemp -d "${TMPDIR:-/tmp}/midden-test.XXXXXX") || tap_bail "no scratch directory"
    trap 'rm -rf "$scratch"' EXIT
    trap 'exit 130' INT TERM HUP
fi

# preloaded WORDS...: run them with the library; only they see it
preloaded() {
    if test "$MIDDEN_LIBRARY" = none; then
        "$@"
    else
        env LD_PRELOAD="$MIDDEN_LIBRARY" "$@"
    fi
}

# capture SECONDS WORDS...: run them with the library; stdout and stderr go to $scratch/out and $scratch/err; 124 when it
# takes longer. The shell's own word about a signal goes nowhere.
capture() {
    tap_seconds=$1
    shift
    { capture_quietly "$@"; } 2>/dev/null
}

capture_quietly() {
    if test "$MIDDEN_LIBRARY" = none; then
        timeout -k 5 "$tap_seconds" "$@" > "$scratch/out" 2> "$scratch/err" < /dev/null
    else
        timeout -k 5 "$tap_seconds" env LD_PRELOAD="$MIDDEN_LIBRARY" "$@" > "$scratch/out" 2> "$scratch/err" < /dev/null
    fi
}
