#!/bin/sh
# git.sh - git: many short processes, mappings, threads in pack-objects.

. "$(dirname "$0")/lib.sh"
tap_need git
probe git

HOME=$scratch
GIT_CONFIG_NOSYSTEM=1
GIT_AUTHOR_NAME=a GIT_AUTHOR_EMAIL=a@example.org GIT_AUTHOR_DATE='2001-02-03T04:05:06Z'
GIT_COMMITTER_NAME=c GIT_COMMITTER_EMAIL=c@example.org GIT_COMMITTER_DATE='2001-02-03T04:05:06Z'
export HOME GIT_CONFIG_NOSYSTEM GIT_AUTHOR_NAME GIT_AUTHOR_EMAIL GIT_AUTHOR_DATE
export GIT_COMMITTER_NAME GIT_COMMITTER_EMAIL GIT_COMMITTER_DATE

prepare() {
    cat > work.sh <<'END'
set -e
git init -q -b main r
cd r
for i in 1 2 3 4 5 6 7 8 9 10; do
    mkdir -p "d$i"
    awk -v n="$i" 'BEGIN { for (k = 0; k < 2000; k++) print k * n % 127, "line", k }' > "d$i/file"
    awk -v n="$i" 'BEGIN { for (k = 0; k < 400 * n; k++) print k, n }' > grown
    git add . && git commit -qm "commit $i"
done
git checkout -qb side HEAD~3
echo side > side && git add side && git commit -qm side
git checkout -q main
git merge -q --no-edit side
git gc -q --aggressive --prune=now
git fsck --full --strict
git log --stat -p --all | cksum
git blame grown | cksum
git grep -c 'line 77' HEAD~2
git archive HEAD | cksum
git rev-list --objects --all | sort | cksum
git repack -qadf --threads=2
git rev-parse HEAD HEAD^2
git clone -q . ../copy
cd ../copy
git diff HEAD~4 --numstat
git checkout -q no-such-branch
END
}
same_output "init, commit, merge, gc, fsck, log, blame, grep, clone, an error at the end" sh work.sh
tap_done
