#!/bin/sh
# bash.sh - shells: fork without exec, pipelines, arrays, limits that the shell sets itself.

. "$(dirname "$0")/lib.sh"
tap_need bash
probe bash

prepare() {
    cat > work.sh <<'END'
declare -A count
declare -a list
for ((i = 0; i < 20000; i++)); do
    list[i * 7919 % 20000]=$i
    count[$((i % 97))]+=x
done
echo "${#list[@]} ${list[77]} ${#count[5]}"
unset 'list[77]'
sum=0
for n in "${list[@]}"; do ((sum += n)); done
echo $sum
seq 50000 | while read -r n; do echo $((n * 3)); done | tail -n 3
for i in {1..100}; do (x=$(printf '%0*d' $((i * 50)) 7); echo ${#x}) | cat; done | sort -n | tail -n 2
big=$(seq 300000)
echo ${#big}
small=$(seq 3000)
echo "${small//7/seven}" | cksum
diff <(seq 1000) <(seq 2 1001)
trap 'echo trapped' USR1
kill -USR1 $$
coproc cat
echo through >&"${COPROC[1]}"
read -r line <&"${COPROC[0]}"
echo "$line"
exec 5<<< "a here-string"
cat <&5
exit 7
END
}
same_output "arrays, subshells, pipelines, a trap, a coprocess" bash work.sh
same "a limit on address space inside" bash -c 'ulimit -v 200000; x=$(seq 100000); echo ${#x}
    (ulimit -v 100000; ls /; seq 1000 | sort | tail -1)'
same "a thousand forks" bash -c '
    for i in {1..1000}; do (exit $((i % 3))) || n=$((n + $?)); done; echo $n'
same "globs over many files" bash -c 'touch f{1..2000}; echo f*7 | cksum; rm f*'
if command -v dash >/dev/null 2>&1; then
    same "dash" dash -c '
        i=0; while [ $i -lt 300 ]; do i=$((i + 1)); x=$(echo $i); done; echo $x'
fi
tap_done
