# bash completions for midden(1), printed by `midden help --bash`: change the table of verbs, not this file.

_midden() {
    local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD-1]} at
    local flags='' valued='' takes_command=no verbs='run check stat bench doctor help version' keys='mode= strict= confirm= limit= corruption= stats= purge= huge= realloc_zero= collect= gctrace= markers= minor= midden='
    COMPREPLY=()
    if ((COMP_CWORD == 1)); then
        mapfile -t COMPREPLY < <(compgen -W "$verbs" -- "$word")
        return
    fi
    case ${COMP_WORDS[1]} in
    run)
        flags='-s --stats -o --options --help'
        valued='|-o|--options|'
        takes_command=yes ;;
    check)
        flags='-o --options --help'
        valued='|-o|--options|'
        takes_command=yes ;;
    stat)
        flags='-c --classes -w --words --json -o --output --help'
        valued='|-o|--output|'
        takes_command=no ;;
    bench)
        flags='-a --allocator -n --rounds --warmup --json --csv --output --input --help'
        valued='|-a|--allocator|-n|--rounds|--warmup|--json|--csv|--output|--input|'
        takes_command=yes ;;
    doctor)
        flags='--help'
        valued='|'
        takes_command=yes ;;
    help)
        flags='--bash --scdoc --scdoc-options --help'
        valued='|'
        takes_command=no ;;
    version)
        flags='--help'
        valued='|'
        takes_command=no ;;
    esac
    for ((at = 2; at < COMP_CWORD; at++)); do     # behind the first operand, CMD completes itself
        if [[ ${COMP_WORDS[at]} == -- ]]; then at=$((at + 1)); break; fi
        if [[ ${COMP_WORDS[at]} != -* ]]; then break; fi
        if [[ $valued == *"|${COMP_WORDS[at]}|"* ]]; then at=$((at + 1)); fi
    done
    if ((at < COMP_CWORD)) && [[ $takes_command == yes ]] && declare -F _command_offset >/dev/null; then
        _command_offset "$at"
    elif [[ $before == -o || $before == --options ]]; then
        compopt -o nospace
        mapfile -t COMPREPLY < <(compgen -W "$keys" -- "$word")
    elif [[ $valued == *"|$before|"* || $at -lt $COMP_CWORD ]]; then
        mapfile -t COMPREPLY < <(compgen -f -- "$word")
    elif [[ $word == -* ]]; then
        mapfile -t COMPREPLY < <(compgen -W "$flags" -- "$word")
    elif [[ ${COMP_WORDS[1]} == help ]]; then
        mapfile -t COMPREPLY < <(compgen -W "$verbs options" -- "$word")
    elif [[ $takes_command == yes ]]; then
        mapfile -t COMPREPLY < <(compgen -c -- "$word")
    fi
}
complete -F _midden midden
