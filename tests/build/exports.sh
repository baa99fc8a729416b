#!/bin/sh
# exports.sh - the names the library exports, with their versions, are those of exports.list: no more, no fewer.
# A version in the list means that the name carries it; malloc and its like carry none (src/libmidden.map says why).

. "$(dirname "$0")/../program/tap.sh"
tap_need nm

list=$(dirname "$0")/exports.list
nm -D --defined-only --with-symbol-versions "$MIDDEN_LIBRARY" | sed -e 's/.* //' -e '/^MIDDEN_[0-9]*\(@@MIDDEN_[0-9]*\)\{0,1\}$/d' |
    LC_ALL=C sort > "$scratch/found"
sed -e '/^#/d' -e '/^$/d' "$list" | LC_ALL=C sort > "$scratch/wanted"

LC_ALL=C comm -23 "$scratch/found" "$scratch/wanted" > "$scratch/surplus"
LC_ALL=C comm -13 "$scratch/found" "$scratch/wanted" > "$scratch/lacking"
test -s "$scratch/found"
tap_check $? "the library exports something"
for what in surplus lacking; do
    test ! -s "$scratch/$what"
    tap_check $? "no name is $what"
    tap_diagnose "$scratch/$what"
done
grep -q '@' "$scratch/found" && ! grep '@' "$scratch/found" | grep -qv '^midden_[a-z0-9_]*@@MIDDEN_[0-9]*$'
tap_check $? "names with a version are midden's own, and there are some"
! grep -v '@' "$scratch/found" | grep -q '^midden_'
tap_check $? "every name of midden's own has a version"
tap_done
