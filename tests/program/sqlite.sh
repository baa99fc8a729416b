#!/bin/sh
# sqlite.sh - sqlite3: a workload in memory.

. "$(dirname "$0")/lib.sh"
tap_need sqlite3
probe sqlite3

prepare() {
    cat > work.sql <<'END'
create table t (a integer primary key, b text, c real);
with recursive n(i) as (select 1 union all select i + 1 from n where i < 100000)
    insert into t select i, printf('%d-%s', i, hex(i * 7919 % 1000)), i / 7.0 from n;
create index tb on t (b);
select count(*), sum(a), max(b), min(c), round(avg(c), 6) from t where b like '%9%';
update t set b = b || b where a % 3 = 0;
delete from t where a % 5 = 0;
select substr(b, 1, 2) k, count(*), total(length(b)) from t group by k order by k limit 20;
select count(*) from t x join t y on x.a = y.a + 1 where x.c > y.c;
vacuum;
select hex(sha3(group_concat(b))) from (select b from t order by a limit 1000);
select no_such_column from t;
END
}
same "tables, indices, joins, vacuum, an error at the end" sqlite3 -batch :memory: '.read work.sql'
same "a database in a file" sh -c "sqlite3 x.db '.read work.sql'; sqlite3 x.db 'pragma integrity_check'; rm x.db"
tap_done
