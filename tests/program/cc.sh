# cc.sh - build one test program by what its head says.
# Job  Compile FILE.c or FILE.cc into the scratch directory, unless a newer program lies there. A line `flags: ...` in the
#      head adds compiler flags; a line `library: NAME FLAGS...` builds the file NAME.c beside it as lib<NAME>.so first.

. "$(dirname "$0")/../program/tap.sh"

cc_source=$(cd "$(dirname "$0")" && pwd)

# cc_head FILE WORD: the values of `WORD: value` lines in the comment that opens FILE
cc_head() {
    sed -n -e "s/^ \* $2: *//p" -e '/\*\//q' "$1"
}

# cc_compile FLAGS...: by the compiler that fits; warnings are off, for a crime is what compilers warn of
cc_compile() {
    case $* in
    *.cc*) ${CXX:-c++} -g -O1 -fno-builtin -w "$@" ;;
    *) ${CC:-cc} -std=gnu11 -g -O1 -fno-builtin -w "$@" ;;
    esac
}

cc_is_fresh() {
    test -x "$1" && test -z "$(find "$cc_source" "$cc_source/../trap" "$cc_source/../crime" -name '*.[ch]*' -newer "$1" |
        head -n 1)"
}

cc_library() {
    cc_name=$1
    shift
    for cc_file in "$cc_source/$cc_name.c" "$cc_source/$cc_name.cc"; do
        test -r "$cc_file" || continue
        cc_compile -shared -fPIC -o "$scratch/lib$cc_name.so" "$cc_file" "$@" || return 1
    done
}

# cc_build FILE: leaves the program as $scratch/NAME; false if it does not compile
cc_build() {
    cc_program=$(basename "$1")
    cc_program=$scratch/${cc_program%.c*}
    cc_is_fresh "$cc_program" && return 0
    cc_head "$1" library > "$scratch/libraries"
    while read -r cc_line; do
        # shellcheck disable=SC2086  # words are wanted
        cc_library $cc_line || return 1
    done < "$scratch/libraries"
    # shellcheck disable=SC2046  # words are wanted
    cc_compile -o "$cc_program" "$1" $(cc_head "$1" flags) -lpthread -ldl -lm
}
