#!/bin/sh
# pages.sh - the manual pages render, name everything the headers declare and nothing else, and their programs compile, run
# and print what the page says they print. Programs are taken from the rendered page: what a reader would copy.

. "$(dirname "$0")/../program/tap.sh"
tap_need scdoc groff

top=$(cd "$(dirname "$0")/../.." && pwd)
build=$(cd "$(dirname "$MIDDEN_LIBRARY")/.." && pwd)
headers="$top/include/midden"
: "${CC:=cc}"

# ---- they render ----------------------------------------------------------------------------------------------------

# render COLUMNS FILE: as plain text
render() {
    groff -man -t -Tascii -P-cbou -ww -rHY=0 -rLL="$1"n "$2"
}

for source in "$top"/man/*.scd; do
    name=$(basename "$source" .scd)
    scdoc < "$source" > "$scratch/$name" 2> "$scratch/complaint" &&
        render 78 "$scratch/$name" > "$scratch/narrow" 2>> "$scratch/complaint" &&
        render 200 "$scratch/$name" > "$scratch/$name.text" 2>> "$scratch/complaint" &&
        test -s "$scratch/$name.text" && test ! -s "$scratch/complaint"
    tap_check $? "$name renders, without a warning"
    tap_diagnose "$scratch/complaint"
    grep -Fq "man/$name.scd" "$top/Makefile.am"
    tap_check $? "$name is built and installed"
done

# ---- they name what there is ----------------------------------------------------------------------------------------

words() {
    grep -ohE "$@" | LC_ALL=C sort -u
}

# lacks TEXT: a point that holds iff $scratch/lacking is empty
lacks() {
    test ! -s "$scratch/lacking"
    tap_check $? "$1"
    tap_diagnose "$scratch/lacking"
}

cat "$headers"/*.h > "$scratch/headers"
cat "$scratch"/*.3.text > "$scratch/reference"
cat "$scratch"/*.[37].text > "$scratch/pages"

words '\bmidden_[a-z0-9_]+\(' < "$scratch/headers" > "$scratch/declared"
words '\bmidden_[a-z0-9_]+\(' < "$scratch/reference" > "$scratch/shown"
LC_ALL=C comm -23 "$scratch/declared" "$scratch/shown" > "$scratch/lacking"
test "$(wc -l < "$scratch/declared")" -gt 60
tap_check $? "the headers declare functions"
lacks "each of them stands in a page of section 3"

words '\bMIDDEN_[A-Z0-9_]+' < "$scratch/headers" | grep -Ev '_H$' > "$scratch/declared"
words '\bMIDDEN_[A-Z0-9_]+' < "$scratch/reference" > "$scratch/shown"
LC_ALL=C comm -23 "$scratch/declared" "$scratch/shown" > "$scratch/lacking"
lacks "so does each constant"

sed -nE 's/^    [a-z][a-zA-Z_0-9 ]*[ *]+([a-z0-9_]+)(\[[0-9]*\])?;.*/\1/p' "$scratch/headers" | LC_ALL=C sort -u > "$scratch/declared"
words '\b[a-z0-9_]+' < "$scratch/reference" > "$scratch/shown"
LC_ALL=C comm -23 "$scratch/declared" "$scratch/shown" > "$scratch/lacking"
test -s "$scratch/declared"
tap_check $? "structs have fields"
lacks "so does each field"

for page in "$scratch"/*.3.text; do basename "$page" .3.text; done > "$scratch/known"
words '\bmidden_[a-z0-9_]+' < "$scratch/headers" >> "$scratch/known"
LC_ALL=C sort -u -o "$scratch/known" "$scratch/known"
words '\bmidden_[a-z0-9_]+' < "$scratch/pages" | LC_ALL=C comm -23 - "$scratch/known" > "$scratch/lacking"
lacks "a page names no function and no type that is not there"

for page in "$scratch"/*.3.text; do
    sed -n '/^NAME/,/^SYNOPSIS/p' "$page" | words '\bmidden_[a-z0-9_]+' > "$scratch/shown"
    sed -n '/^SYNOPSIS/,/^DESCRIPTION/p' "$page" | words '\bmidden_[a-z0-9_]+\(' | sed 's/($//' > "$scratch/declared"
    LC_ALL=C comm -23 "$scratch/declared" "$scratch/shown"
done > "$scratch/lacking"
lacks "what a page declares, its first line names: man finds it"

# ---- their programs -------------------------------------------------------------------------------------------------

# A program begins with #include, and ends with the indentation; a block behind "It prints:" is what it prints.
extract() {
    awk -v base="$2" '
    function end() {
        if (kind == "program" && block ~ /\nint main/)
            printf "%s", block > (base "." ++count ".c")
        if (kind == "output")
            printf "%s", block > (base "." count ".expected")
        kind = block = ""
    }
    /^           / || (/^$/ && kind != "") {
        line = substr($0, 12)
        if (kind == "" && (prints || line ~ /^#include/))
            kind = prints ? "output" : "program"
        if (kind == "program" || line != "")
            block = block line "\n"
        next
    }
    { end(); prints = $0 == "" ? prints : /^       It prints:$/ }
    END { end(); for (i = 1; i <= count; i++) print base "." i }' "$1"
}

try() {
    try_name=$(basename "$1")
    $CC -std=gnu11 -Wall -Wextra -Werror -g -O2 -I"$top/include" -o "$1" "$1.c" -L"$build/.libs" -lmidden \
        -Wl,-rpath,"$build/.libs" > "$scratch/log" 2>&1
    tap_check $? "program $try_name compiles without a warning"
    tap_diagnose "$scratch/log"
    test -x "$1" || return
    timeout -k 5 60 "$1" > "$scratch/out" 2> "$scratch/complaint" < /dev/null
    tap_check $? "program $try_name does well"
    test ! -r "$1.expected" && return
    diff -U1 "$1.expected" "$scratch/out" > "$scratch/diff"
    tap_check $? "program $try_name prints what the page says"
    tap_diagnose "$scratch/diff"
    tap_diagnose "$scratch/complaint"
}

for page in "$scratch"/*.[37].text; do extract "$page" "$scratch/$(basename "$page" .text)"; done > "$scratch/programs"
test "$(wc -l < "$scratch/programs")" -ge 15
tap_check $? "the pages have programs"
while read -r program; do try "$program"; done < "$scratch/programs"
tap_done
