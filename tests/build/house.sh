#!/bin/sh
# house.sh - the rules of the house hold: every file is listed in Makefile.am, and the budgets of tools/tidy are kept.

. "$(dirname "$0")/../program/tap.sh"

top=$(cd "$(dirname "$0")/../.." && pwd)
cd "$top" || exit 1

# Each source stands in Makefile.am as a word of its own, or a directory it lies in does.
is_listed() {
    listed=$1
    while test "$listed" != .; do
        grep -Fxq -e "$listed" "$scratch/words" && return
        listed=$(dirname "$listed")
    done
    false
}
tr -s ' \t\\' '\n' < Makefile.am | sort -u > "$scratch/words"
find src include tools tests bench man completions -type f -name '*.*' 2>/dev/null |
    grep -Ev '\.(o|lo|a|la|log|trs|Po|Plo|[1357])$|/\.' | sort |
    while read -r file; do
        is_listed "$file" || echo "$file"
    done > "$scratch/forgotten"
test ! -s "$scratch/forgotten"
tap_check $? "every file is listed in Makefile.am"
tap_diagnose "$scratch/forgotten"

sed -n 's/^AC_INIT(\[midden\], \[\(.*\)\])$/#define MIDDEN_VERSION       "\1"/p' configure.ac > "$scratch/version"
test -s "$scratch/version" && grep -Fxq -f "$scratch/version" include/midden/version.h
tap_check $? "configure.ac and version.h name the same version"

tools/tidy > "$scratch/tidy" 2>&1
tap_check $? "tools/tidy is content"
tap_diagnose "$scratch/tidy"
tap_done
