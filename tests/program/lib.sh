# lib.sh - a real program must do the same with the library as without it.
# Job  `same` runs a command plain and preloaded, each in a fresh directory of the same name, and compares stdout, stderr,
#      exit status and the files left behind. `probe` shows that the library is really in a program: without that point
#      everything else would hold as well when nothing was loaded.
#
# A script may define, before it calls same:
#     prepare     fills the current directory; runs before each of the two
#     normalise   a filter that takes away what differs between any two runs (times, process ids, addresses)

. "$(dirname "$0")/tap.sh"

limit=120                       # seconds for one run

prepare() { :; }
normalise() { cat; }

# observe WHO WORDS...: run them in a fresh directory; what came of it lies in $scratch/WHO.{out,err,status,files}
observe() {
    observe_who=$1
    shift
    rm -rf "$scratch/run"
    mkdir "$scratch/run" || tap_bail "no directory to run in"
    (
        cd "$scratch/run" || exit 99
        prepare
        if test "$observe_who" = ours && test "$MIDDEN_LIBRARY" != none; then
            timeout -k 5 "$limit" env LD_PRELOAD="$MIDDEN_LIBRARY" "$@"
        else
            timeout -k 5 "$limit" "$@"
        fi > "$scratch/raw.out" 2> "$scratch/raw.err" < /dev/null
        echo $? > "$scratch/$observe_who.status"
        find . -type f -size -1M -print0 | sort -z | xargs -0 -r sha256sum > "$scratch/$observe_who.files"
    ) 2>/dev/null
    normalise < "$scratch/raw.out" > "$scratch/$observe_who.out"
    normalise < "$scratch/raw.err" > "$scratch/$observe_who.err"
}

# differ KIND: whether the two runs differ in that; says how
differ() {
    cmp -s "$scratch/plain.$1" "$scratch/ours.$1" && return 1
    diff -U1 "$scratch/plain.$1" "$scratch/ours.$1" > "$scratch/diff"
    echo "$1 differs" >> "$scratch/differences"
    cat "$scratch/diff" >> "$scratch/differences"
}

# judge TEXT KINDS...: the point for the two runs just made
judge() {
    judge_text=$1
    shift
    : > "$scratch/differences"
    for judge_kind in "$@"; do differ "$judge_kind"; done
    if test -s "$scratch/differences"; then
        tap_not_ok "$judge_text"
        tap_diagnose "$scratch/differences"
    else
        tap_ok "$judge_text"
    fi
}

# same TEXT WORDS...: output, status and files are the same
same() {
    same_text=$1
    shift
    observe plain "$@"
    observe ours "$@"
    judge "$same_text" out err status files
}

# same_output TEXT WORDS...: the same but for the files left behind
same_output() {
    same_text=$1
    shift
    observe plain "$@"
    observe ours "$@"
    judge "$same_text" out err status
}

# works TEXT WORDS...: preloaded, it exits 0 and says nothing on stderr; for what no two runs do alike
works() {
    works_text=$1
    shift
    observe ours "$@"
    echo 0 > "$scratch/plain.status"
    : > "$scratch/plain.err"
    judge "$works_text" err status
}

# probe PROGRAM...: the dynamic loader puts the library into each of them, and into a process that looks at itself
probe() {
    preloaded cat /proc/self/maps | grep -qF "$library_real"
    tap_check $? "the library is in the processes this script starts"
    for probe_word in "$@"; do
        probe_file=$(readlink -f "$(command -v "$probe_word")")
        preloaded env LD_TRACE_LOADED_OBJECTS=1 "$probe_file" 2>/dev/null | grep -qF "$MIDDEN_LIBRARY"
        tap_check $? "the library is in $probe_word"
    done
}

# probe_process PID TEXT: it is in a process that runs already
probe_process() {
    grep -qF "$library_real" "/proc/$1/maps"
    tap_check $? "$2"
}
