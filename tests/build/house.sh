#!/bin/sh
# house.sh - the rules of the house hold: every file is listed in Makefile.am, and the budgets of tools/tidy are kept.

. "$(dirname "$0")/../program/tap.sh"

top=$(cd "$(dirname "$0")/../.." && pwd)
cd "$top" || exit 1

# every source of the rooms stands in Makefile.am as a word of its own
find src include tools/midden tests bench man -type f 2>/dev/null | grep -Ev '\.(o|lo|log|trs|Po|Plo)$|/test$|/\.' | sort > "$scratch/files"
tr -s ' \t\\' '\n' < Makefile.am | sort -u > "$scratch/words"
grep -Fxv -f "$scratch/words" "$scratch/files" > "$scratch/forgotten"
test ! -s "$scratch/forgotten"
tap_check $? "every file is listed in Makefile.am"
tap_diagnose "$scratch/forgotten"

tools/tidy > "$scratch/tidy" 2>&1
tap_check $? "tools/tidy is content"
tap_diagnose "$scratch/tidy"
tap_done
