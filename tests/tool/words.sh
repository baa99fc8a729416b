#!/bin/sh
# words.sh - verbs, options and help: what is typed wrong is told with the nearest word, and one table makes every text.

. "$(dirname "$0")/tool.sh"

midden
exits 0 "no verb is no mistake"
for verb in run check stat bench doctor help version; do
    says "$out" "midden $verb " "the summary lists $verb"
done
is_empty "$err" "and nothing is said on stderr"

midden chekc
exits 2 "an unknown verb is a usage error"
says "$err" 'did you mean "midden check"' "the nearest verb is named"
midden qqqqqqqqqqqq
exits 2 "a verb near nothing is a usage error too"
says "$err" "midden run -- qqqqqqqqqqqq" "and the advice is to run it"

midden run --stat true
exits 2 "an unknown long option is a usage error"
says "$err" "did you mean --stats" "the nearest option is named"
midden run -Z true
exits 2 "an unknown letter is a usage error"
midden run --stats=yes true
exits 2 "a value for an option that takes none is a usage error"
midden run --options
exits 2 "a missing value is a usage error"
midden run --options limmit=1G true
exits 2 "an unknown key of the library is a usage error"
says "$err" "limit" "the nearest key is named"
midden run --options limit=plenty true
exits 2 "a value the key does not take is a usage error"
for verb in run check bench; do
    midden "$verb"
    exits 2 "$verb without a command is a usage error"
done
midden bench -n none true
exits 2 "rounds that are no number are a usage error"
midden bench -n 0 true
exits 2 "no rounds are a usage error"
midden bench -n -1 true
exits 2 "fewer than no rounds are a usage error"

for verb in run check stat bench doctor help version; do
    midden help "$verb"
    exits 0 "help $verb"
    says "$out" "midden $verb" "help $verb is about $verb"
    mv "$out" "$scratch/help"
    midden "$verb" --help
    exits 0 "$verb --help"
    cmp -s "$out" "$scratch/help"
    tap_check $? "$verb --help says what help $verb says"
done
midden help docter
exits 2 "help for an unknown verb is a usage error"
says "$err" 'did you mean "doctor"' "with the nearest one"

midden help options
exits 0 "help options"
sed -n 's/^OPTION_[A-Z]*[ ]*(\([a-z_]*\),.*/\1/p' "$top/src/base/option.def" > "$scratch/keys"
missing=
while read -r key; do
    grep -q "^  $key=" "$out" || missing="$missing $key"
done < "$scratch/keys"
test -s "$scratch/keys" && test -z "$missing"
tap_check $? "help options lists every key of option.def${missing:+, but not$missing}"

midden version
exits 0 "version"
says "$out" "$library_named" "version names the library"
midden --version
exits 0 "--version is version"

# shellcheck disable=SC2016
timeout 10 sh -c '"$1" help > /dev/full' sh "$MIDDEN_COMMAND" 2>"$err"
status=$?
exits 125 "output that cannot be written is an error"

# -- what is made from the table ------------------------------------------------------------------

midden help --bash
exits 0 "help --bash"
cmp -s "$out" "$top/completions/midden.bash"
tap_check $? "completions/midden.bash is what the table makes (tools/midden/refresh)"
midden help --scdoc
exits 0 "help --scdoc"
section() {
    sed -n "/^; begin $2:/,/^; end $2\$/p" "$top/man/$1" | sed '1d;$d' > "$scratch/section"
    test -s "$scratch/section" && cmp -s "$out" "$scratch/section"
    tap_check $? "the $2 in man/$1 are what the table makes (tools/midden/refresh)"
}
section midden.1.scd verbs
midden help --scdoc-options
exits 0 "help --scdoc-options"
section midden.1.scd options
section midden.conf.5.scd options

# complete WORDS...: what bash offers for the last of them
complete_words() {
    # shellcheck disable=SC2016
    bash --norc -c '. "$1"; shift; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _midden; printf "%s\n" "${COMPREPLY[@]}"' \
        bash "$top/completions/midden.bash" "$@" 2>"$err"
}
if command -v bash > /dev/null; then
    test "$(complete_words midden "do")" = doctor
    tap_check $? "bash completes a verb"
    test "$(complete_words midden run --st)" = --stats
    tap_check $? "bash completes an option"
    test "$(complete_words midden run --options lim)" = limit=
    tap_check $? "bash completes a key"
    test "$(complete_words midden bench -n 5 -- prin | grep -Fxm1 printf)" = printf
    tap_check $? "bash completes the command"
    test "$(complete_words midden help opt)" = options
    tap_check $? "bash completes what help knows"
else
    tap_skip "bash completes" "no bash here"
fi
tap_done
