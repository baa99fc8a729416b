#!/bin/sh
# postgres.sh - PostgreSQL: a process for each client, shared memory, signals; initdb, pgbench, a dump that must be the same.

. "$(dirname "$0")/lib.sh"
for bin in /usr/lib/postgresql/*/bin; do :; done
test -x "$bin/initdb" || tap_skip_all "no PostgreSQL here"

# as_owner WORDS...: the server refuses to run as root
as_owner() {
    if test "$(id -u)" -eq 0; then setpriv --reuid=postgres --regid=postgres --clear-groups "$@"; else "$@"; fi
}

if test "$(id -u)" -eq 0; then
    id postgres >/dev/null 2>&1 || tap_skip_all "root, and no user postgres"
    tap_need setpriv
    base=$(mktemp -d "${TMPDIR:-/tmp}/midden-test.XXXXXX") || tap_bail "no scratch directory"
    chown postgres "$base"
    # a checkout below /root: the user postgres gets a copy he can read
    if test "$MIDDEN_LIBRARY" != none && ! as_owner test -r "$MIDDEN_LIBRARY"; then
        cp -L "$MIDDEN_LIBRARY" "$base/libmidden.so.0"
        chmod a+r "$base/libmidden.so.0"
        MIDDEN_LIBRARY=$base/libmidden.so.0
        library_real=$MIDDEN_LIBRARY
    fi
else
    base=$scratch/pg
    mkdir -p "$base"
fi
trap 'as_owner "$bin/pg_ctl" -D "$base/ours" -m immediate stop >/dev/null 2>&1; rm -rf "$base" "$scratch"' EXIT
PATH=$bin:$PATH
probe postgres psql pgbench
cd "$base" || exit 1

# as_owner, preloaded only where WHO is ours
run_as() {
    run_who=$1
    shift
    if test "$run_who" = ours && test "$MIDDEN_LIBRARY" != none; then
        as_owner env LD_PRELOAD="$MIDDEN_LIBRARY" "$@"
    else
        as_owner "$@"
    fi
}

# session WHO: a cluster, a load, a dump with a digest, an end
session() {
    set -e
    data=$base/$1
    run_as "$1" initdb -D "$data" -A trust -U postgres -N > "$base/initdb.log" 2>&1
    run_as "$1" pg_ctl -D "$data" -w -t 60 -l "$data/log" -o "-c listen_addresses= \
        -c unix_socket_directories=$base -c fsync=off -c shared_buffers=16MB" start > "$base/ctl.log" 2>&1
    test "$1" = plain ||
        grep -cF "$library_real" "/proc/$(head -n 1 "$data/postmaster.pid")/maps" > "$base/probe"
    run_as "$1" pgbench -h "$base" -U postgres -i -s 1 -q postgres > "$base/init.log" 2>&1
    run_as "$1" pgbench -h "$base" -U postgres -c 4 -j 2 -t "${MIDDEN_LONG:+2}500" postgres > "$base/bench.log" 2>&1
    run_as "$1" psql -h "$base" -U postgres -XAt postgres > "$base/$1.out" 2>&1 <<'END'
create table t as select i, repeat(md5(i::text), i % 20) as b from generate_series(1, 20000) i;
create index on t (b);
select count(*), md5(string_agg(b, ',' order by i)) from t where b like '%7%';
select md5(string_agg(x::text, ''))
    from (select jsonb_agg(jsonb_build_object('a', i, 'b', b)) x from t group by i % 10 order by i % 10) y;
select count(*) from pgbench_history;
select regexp_replace('aaa' || repeat('b', 1000), '(b+)', 'c');
do $$ declare s text := '';
begin for i in 1..5000 loop s := s || i; end loop; raise notice '%', length(s); end $$;
select 1 / 0;
END
    run_as "$1" pg_ctl -D "$data" -w -m fast stop >> "$base/ctl.log" 2>&1
}

(session plain)
tap_check $? "a session without the library"
(session ours)
tap_check $? "a session with it: initdb, start, pgbench, queries, stop"
test "$tap_failed" -eq 0 || for log in initdb ctl init bench; do test -r "$log.log" && tap_diagnose "$log.log"; done
test -s "$base/probe" && test "$(cat "$base/probe")" -gt 0
tap_check $? "the library was in the server"
cmp -s plain.out ours.out
tap_check $? "the answers are the same"
cmp -s plain.out ours.out || { diff plain.out ours.out > "$scratch/diff"; tap_diagnose "$scratch/diff"; }
! grep -Eqi '^midden:|terminated by signal|PANIC' ours/log
tap_check $? "the server's log tells of no accident"
tap_done
