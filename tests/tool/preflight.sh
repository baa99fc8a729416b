#!/bin/sh
# preflight.sh - what cannot be preloaded is refused with cause and cure, instead of run without the library in silence.

. "$(dirname "$0")/tool.sh"

plain='int main(void) { return 0; }'

# refused CODE WORDS NAME TEXT...: run refuses $scratch/NAME with CODE and WORDS, doctor calls it bad
refused() {
    refused_code=$1 refused_words=$2 refused_name=$3
    shift 3
    midden run "$scratch/$refused_name"
    exits "$refused_code" "run: $*"
    says "$err" "$refused_words" "run says why: $*"
    midden doctor "$scratch/$refused_name"
    exits 1 "doctor: $*"
    says "$out" "$refused_words" "doctor says why: $*"
}

# passes NAME TEXT...: run starts it, doctor finds nothing bad
passes() {
    passes_name=$1
    shift
    midden run "$scratch/$passes_name"
    exits 0 "run: $*"
    midden doctor "$scratch/$passes_name"
    exits 0 "doctor: $*"
}

# patch NAME OFFSET BYTES: overwrite bytes of $scratch/NAME, BYTES as printf takes them
patch() {
    # shellcheck disable=SC2059
    printf "$3" | dd of="$scratch/$1" bs=1 seek="$2" conv=notrunc status=none
}

if ! echo "$plain" | compile plain; then
    tap_skip_all "no C compiler here"
fi
passes plain "a dynamic program"
if echo "$plain" | compile fixed -no-pie -fno-pie; then
    passes fixed "a program at a fixed address"
fi

# -- ways of being linked -------------------------------------------------------------------------

if echo "$plain" | compile static -static; then
    refused 125 "statically linked" static "a static program"
    midden check "$scratch/static"
    exits 125 "check: a static program was not instrumented"
    says "$err" "statically linked" "check says why"
else
    tap_skip "a static program" "no static libc here"
fi
if echo "$plain" | compile static_pie -static-pie; then
    refused 125 "statically linked" static_pie "a static program that can be moved"
fi
if echo 'int main(void) { return 0; } __asm__(".pushsection .go.buildinfo,\"a\"; .quad 0; .popsection");' |
    compile go -static; then
    refused 125 "a Go program" go "a static Go program"
fi
if echo "$plain" | compile musl -Wl,--dynamic-linker=/lib/ld-musl-x86_64.so.1; then
    refused 125 "linked with musl" musl "a program linked with musl"
fi
if echo "$plain" | compile loaderless -Wl,--dynamic-linker=/lib/no-such-loader.so; then
    refused 127 "/lib/no-such-loader.so" loaderless "a program whose loader is not there"
fi
if echo "$plain" | compile narrow -m32; then
    refused 125 "another word size" narrow "a 32-bit program"
else
    cp "$scratch/plain" "$scratch/narrow"
    patch narrow 4 '\001'
    refused 125 "another word size" narrow "a 32-bit program"
fi
cp "$scratch/plain" "$scratch/foreign"
patch foreign 18 '\026'
refused 125 "another processor" foreign "a program for another processor"
head -c 100 "$scratch/plain" > "$scratch/cut"
chmod +x "$scratch/cut"
refused 126 "damaged" cut "a program cut short"

# -- who owns malloc ------------------------------------------------------------------------------

for kind in address thread leak; do
    if echo "$plain" | compile "sanitized_$kind" -fsanitize=$kind; then
        refused 125 "Sanitizer" "sanitized_$kind" "a program with -fsanitize=$kind"
    else
        tap_skip "a program with -fsanitize=$kind" "this compiler has none"
    fi
done
if compile own -fno-builtin -rdynamic <<'CODE'
#include <stddef.h>
static char room[1 << 20];
static size_t used;
void *malloc(size_t bytes) { used += (bytes + 15) / 16 * 16; return room + used - (bytes + 15) / 16 * 16; }
void free(void *block) { (void)block; }
void *calloc(size_t n, size_t bytes) { return malloc(n * bytes); }
void *realloc(void *block, size_t bytes) { (void)block; return malloc(bytes); }
int main(void) { return 0; }
CODE
then
    refused 125 "brings its own malloc" own "a program with a malloc of its own"
    midden check "$scratch/own"
    exits 125 "check: the library is loaded, but it is not the malloc"
fi

# -- rights ---------------------------------------------------------------------------------------

cp "$scratch/plain" "$scratch/setuid"
if test "$(id -u)" -eq 0; then
    chown 65534 "$scratch/setuid" && chmod 4755 "$scratch/setuid"
    refused 125 "setuid to user 65534" setuid "a setuid program"
    cp "$scratch/plain" "$scratch/setgid"
    chgrp 65534 "$scratch/setgid" && chmod 2755 "$scratch/setgid"
    refused 125 "setgid to group 65534" setgid "a setgid program"
    chmod 2744 "$scratch/setgid"
    passes setgid "setgid without the right to execute for the group means nothing"
    chmod 4755 "$scratch/setuid" && chown 0 "$scratch/setuid" && chmod 4755 "$scratch/setuid"
    passes setuid "a setuid program of our own user gains nothing"
else
    chmod 4755 "$scratch/setuid"
    passes setuid "a setuid program of our own user gains nothing"
    for program in /usr/bin/su /bin/su /usr/bin/passwd; do
        test -u "$program" || continue
        midden run "$program" --version
        exits 125 "run: a setuid program"
        says "$err" "setuid to user" "run says why"
        break
    done
fi
if test "$(id -u)" -eq 0 && command -v setcap > /dev/null && command -v setpriv > /dev/null; then
    cp "$scratch/plain" "$scratch/capable"
    chmod 755 "$scratch" "$scratch/capable"
    if setcap cap_net_raw+ep "$scratch/capable" 2> "$err"; then
        cp "$MIDDEN_COMMAND" "$scratch/midden" && cp "$library_real" "$scratch/libmidden.so.0"
        MIDDEN_LIBRARY=$scratch/libmidden.so.0 setpriv --reuid 65534 --regid 65534 --clear-groups \
            "$scratch/midden" run "$scratch/capable" > "$out" 2> "$err"
        status=$?
        exits 125 "run: a program with file capabilities"
        says "$err" "security.capability" "run says why"
        passes capable "root gains nothing by file capabilities"
    else
        tap_skip "a program with file capabilities" "this file system has none"
    fi
else
    tap_skip "a program with file capabilities" "needs root, setcap and setpriv"
fi

# -- scripts --------------------------------------------------------------------------------------

script() {
    cat > "$scratch/$1"
    chmod +x "$scratch/$1"
}
printf '#!/bin/sh\nexit 0\n' | script shell
passes shell "a shell script"
midden doctor "$scratch/shell"
says "$out" "#! line" "doctor followed the first line"
printf '#! /usr/bin/env  sh \nexit 0\n' | script by_env
passes by_env "a script by way of env"
printf 'exit 0\n' | script bare
passes bare "a script without a first line, as shells run it"
printf '#!%s/shell\n' "$scratch" | script nested
passes nested "a script of a script"
printf '#!%s/no-such-interpreter\n' "$scratch" | script orphan
refused 127 "no-such-interpreter" orphan "a script whose interpreter is not there"
printf '#!/bin/sh\r\nexit 0\r\n' | script windows
refused 127 "carriage return" windows "a script with the line ends of another system"
printf '#!%s/loop\n' "$scratch" | script loop
refused 126 "script of scripts" loop "a script that is its own interpreter"
if test -x "$scratch/static"; then
    printf '#!%s/static\n' "$scratch" | script by_static
    refused 125 "statically linked" by_static "a script whose interpreter is static"
fi

# -- commands that are known to mislead ---------------------------------------------------------------

for name in valgrind qemu-aarch64 docker; do
    cp "$scratch/plain" "$scratch/$name"
    midden doctor "$scratch/$name"
    exits 0 "doctor: $name is no obstacle by itself"
    says "$out" "starts others" "doctor warns of $name"
done
tap_done
