# cases.sh - small C programs that speak TAP themselves, built and run under the library.
# Job  For each NAME.c or NAME.cc beside the driver: build, run, number its points anew, and add one point: it ended well and
#      wrote nothing to stderr. Used by tests/life/run and tests/trap/run.
#
# A program opens with a comment; these lines in it mean something:
#     flags: -rdynamic              compiler flags
#     library: deep -ldl            build deep.c first, as libdeep.so in the directory of the program
#     preload-before: wrapper       and preload libwrapper.so in front of the library
#     preload: no                   the library is not preloaded; the program finds it in MIDDEN_LIBRARY
#     options: limit=64M            MIDDEN_OPTIONS
#     seconds: 30                   how long it may take (60)
#     stderr: any                   it may write there
#     shrunken: no                  it measures memory, which a debug build wastes on purpose (slabs of a few blocks)
# A file with the line `part: yes` is no program but a library of another one. The program finds the scratch directory in
# MIDDEN_PROGRAMS.

. "$(dirname "$0")/../program/cc.sh"

MIDDEN_PROGRAMS=$scratch
export MIDDEN_PROGRAMS MIDDEN_LIBRARY

# case_run FILE: status in $case_status
case_run() {
    case_seconds=$(cc_head "$1" seconds)
    case_before=$(cc_head "$1" preload-before)
    case_preload=${case_before:+$scratch/lib$case_before.so }$MIDDEN_LIBRARY
    test "$(cc_head "$1" preload)" = no && case_preload=
    test "$MIDDEN_LIBRARY" = none && case_preload=${case_before:+$scratch/lib$case_before.so}
    {
        MIDDEN_OPTIONS=$(cc_head "$1" options) timeout -k 5 "${case_seconds:-60}" \
            env ${case_preload:+LD_PRELOAD="$case_preload"} "$cc_program" > "$scratch/out" 2> "$scratch/err" < /dev/null
    } 2>/dev/null
    case_status=$?
}

# case_points NAME: the points the program printed
case_points() {
    while IFS= read -r case_line; do
        case $case_line in
        'ok - '*) tap_ok "$1: ${case_line#ok - }" ;;
        'not ok - '*) tap_not_ok "$1: ${case_line#not ok - }" ;;
        'skip - '*) tap_skip "$1" "${case_line#skip - }" ;;
        *) echo "#   $case_line" ;;
        esac
    done < "$scratch/out"
}

case_end() {
    if test "$case_status" -ne 0 && { test "$case_status" -ne 1 || ! grep -q '^not ok' "$scratch/out"; }; then
        tap_not_ok "$1 ends well"
        echo "#   status $case_status"
        tap_diagnose "$scratch/err"
    elif test -s "$scratch/err" && test "$(cc_head "$2" stderr)" != any; then
        tap_not_ok "$1 says nothing on stderr"
        tap_diagnose "$scratch/err"
    else
        tap_ok "$1 ends well"
    fi
}

case_try() {
    test "$(cc_head "$1" part)" = yes && return
    test "${MIDDEN_SHRUNKEN:-no}" = yes && test "$(cc_head "$1" shrunken)" = no && return
    case_name=$(basename "${1%.c*}")
    if ! cc_build "$1" > "$scratch/log" 2>&1; then
        tap_not_ok "$case_name compiles"
        tap_diagnose "$scratch/log"
        return
    fi
    case_run "$1"
    case_points "$case_name"
    case_end "$case_name" "$1"
}

# cases NAMES...: those, or all
cases() {
    if test "$MIDDEN_LIBRARY" != none; then
        preloaded cat /proc/self/maps | grep -qF "$library_real"
        tap_check $? "the library is in the processes this script starts"
    fi
    if test $# -gt 0; then
        for case_word in "$@"; do
            for case_file in "$cc_source/$case_word".c*; do case_try "$case_file"; done
        done
    else
        for case_file in "$cc_source"/*.c "$cc_source"/*.cc; do test -r "$case_file" && case_try "$case_file"; done
    fi
    tap_done
}
