#!/bin/sh
# run.sh - midden run: the command's own exit status, its environment, and the codes of env(1) when it cannot start.

. "$(dirname "$0")/tool.sh"

midden run true
exits 0 "run true"
is_empty "$err" "nothing is added to stderr"
is_empty "$out" "nothing is added to stdout"
midden run -- sh -c 'exit 42'
exits 42 "the exit status is the command's"
midden run sh -c 'kill -TERM $$'
exits 143 "so is the signal that ends it"
midden run sh -c 'echo $PPID'
parent=$(cat "$out")
# shellcheck disable=SC2016
timeout 60 sh -c '"$1" run sh -c "echo \$PPID" & wait' sh "$MIDDEN_COMMAND" > "$out" 2>&1
test -n "$parent" && test -n "$(cat "$out")"
tap_check $? "the command is the same process (no shell stays between)"

midden run grep -F libmidden /proc/self/maps
exits 0 "the library is mapped in the command"
says "$out" "$(basename "$(readlink -f "$MIDDEN_LIBRARY")")" "and it is the one that was named"
midden run sh -c 'grep -c libmidden /proc/self/maps'
exits 0 "programs below inherit it"

midden run sh -c 'echo "$LD_PRELOAD"'
says "$out" "$library_named" "LD_PRELOAD holds an absolute path"
LD_PRELOAD=libpthread.so.0 midden run sh -c 'echo "$LD_PRELOAD"'
says "$out" "$library_named:libpthread.so.0" "what was preloaded stays, behind it"
LD_PRELOAD=$library_named midden run sh -c 'echo "$LD_PRELOAD"'
test "$(cat "$out")" = "$library_named"
tap_check $? "it is not put there twice"
midden run --stats sh -c 'echo "$MIDDEN_OPTIONS"'
test "$(head -n 1 "$out")" = stats=exit
tap_check $? "--stats asks for the statistics at exit"
MIDDEN_OPTIONS=limit=1G midden run -o huge=never --options=purge=now sh -c 'echo "$MIDDEN_OPTIONS"'
test "$(head -n 1 "$out")" = limit=1G,huge=never,purge=now
tap_check $? "options are added behind those that are there"
midden run sh -c 'echo "$#:$1:$2"' sh --stats "a b"
test "$(cat "$out")" = "2:--stats:a b"
tap_check $? "words behind the command are the command's, blanks and all"
echo hello > "$scratch/input"
timeout 10 "$MIDDEN_COMMAND" run cat < "$scratch/input" > "$out" 2>"$err"
status=$?
exits 0 "the command reads our input"
says "$out" hello "all of it"

midden run no-such-command-here
exits 127 "a command that is not there"
says "$err" "no directory of PATH has it" "with the evidence"
midden run "$scratch/nothing/at/all"
exits 127 "a path that is not there"
midden run "$scratch"
exits 126 "a directory"
echo 'exit 0' > "$scratch/plain"
midden run "$scratch/plain"
exits 126 "a file that is not executable"
says "$err" "chmod +x" "with the cure"
PATH=$scratch:$PATH midden run plain
exits 126 "a file in PATH that is not executable"
midden run ''
exits 127 "an empty name"

mkdir "$scratch/links" && ln -s "$library_real" "$scratch/links/libmidden.so.0"
MIDDEN_LIBRARY=$scratch/links/libmidden.so.0 midden run sh -c 'echo "$LD_PRELOAD"'
says "$out" "/links/libmidden.so.0" "a link is not resolved: what it leads to may change while the command lives"
cd "$scratch/links" || tap_bail "no scratch directory"
MIDDEN_LIBRARY=libmidden.so.0 midden run sh -c 'cd / && grep -c libmidden /proc/self/maps'
cd "$OLDPWD" || tap_bail "no way back"
exits 0 "a library named from here"
test -s "$out"
tap_check $? "is found from everywhere"
MIDDEN_LIBRARY=$scratch/nowhere.so midden run true
exits 125 "a library that is not there"
says "$err" "MIDDEN_LIBRARY" "names the variable"
mkdir "$scratch/a b" && cp "$MIDDEN_LIBRARY" "$scratch/a b/libmidden.so.0"
MIDDEN_LIBRARY="$scratch/a b/libmidden.so.0" midden run true
exits 125 "a library whose path LD_PRELOAD would split"
says "$err" "LD_PRELOAD splits there" "with the reason"
(
    unset MIDDEN_LIBRARY
    mkdir -p "$scratch/moved/bin" "$scratch/moved/lib"
    cp "$MIDDEN_COMMAND" "$scratch/moved/bin/midden" && cp "$library_real" "$scratch/moved/lib/libmidden.so.0"
    "$scratch/moved/bin/midden" run grep -Fq "$scratch/moved/lib/libmidden.so.0" /proc/self/maps
)
tap_check $? "a tree that was moved as a whole finds its own library"
tap_done
