"""data.py - what the real programs work on, made from fixed seeds: the same bytes on every machine."""
import random

SYLLABLES = "ba de fi go ku la me ni po ru sa te vi wo xu ya ze chi dro fla".split()


def words(draw, count):
    return ["".join(draw.choices(SYLLABLES, k=draw.randrange(1, 5))) for _ in range(count)]


def text(seed, size):
    """About `size` bytes of words from a vocabulary, with some noise between."""
    draw = random.Random(seed)
    vocabulary = words(draw, 4000)
    weights = [1 / (rank + 5) for rank in range(len(vocabulary))]
    lines, held = [], 0
    while held < size:
        line = " ".join(draw.choices(vocabulary, weights, k=11)) + f" {draw.getrandbits(32):x}\n"
        lines.append(line)
        held += len(line)
    return "".join(lines).encode()


def sql(count):
    """One table is filled, indexed, joined with itself, changed, asked in JSON."""
    return f"""
create table item (id integer primary key, name text, weight real, note text);
create table link (a integer, b integer, kind text);
insert into item
    with recursive n(i) as (select 1 union all select i + 1 from n where i < {count})
    select i, 'item ' || (i * 7919 % {count}), i * 0.25, substr(hex(i * 2654435761), 1, 4 + i % 9) from n;
insert into link select id, id * 31 % {count} + 1, substr('abcdefgh', id % 8 + 1, 1) from item;
create index item_name on item (name);
create index link_b on link (b, kind);
select count(*), sum(weight), max(name) from item;
select kind, count(*), group_concat(name, '/') from
    (select kind, name from link join item on item.id = link.b where a % 97 = 3 order by a) group by kind order by kind;
update item set note = note || '-' || upper(name) where id % 3 = 0;
delete from item where id % 5 = 1;
select note, count(*) from item group by substr(note, 1, 2) order by 2 desc, 1 limit 20;
select length(json_group_array(json_object('id', id, 'name', name, 'note', note))) from item;
select count(distinct a.name || b.note) from item a join item b on b.name = a.name;
""".encode()


def c_source(count):
    lines = ["typedef unsigned long ulong;", "static ulong state[64];"]
    for i in range(count):
        lines += [
            f"struct box{i} {{ ulong field[{i % 13 + 2}]; struct box{i} *next; int kind; }};",
            f"ulong work{i}(struct box{i} *box, ulong seed)", "{",
            f"    ulong sum = seed * {i + 3}u;",
            "    for (; box; box = box->next) {",
            f"        for (int k = 0; k < {i % 13 + 2}; k++)",
            f"            box->field[k] ^= (sum += box->field[(k + 1) % {i % 13 + 2}] * {i % 7 + 1});",
            f"        switch ((box->kind + sum) % {i % 5 + 4}) {{",
            f"        case 0: sum ^= state[{i % 64}]; break;",
            f"        case 1: state[{(i * 5) % 64}] += sum >> 3; break;",
            "        case 2: sum = sum << 5 | sum >> 59; break;",
            "        default: sum--;", "        }", "    }",
            f"    return sum{f' + work{i - 1}(0, sum)' if i else ''};", "}",
        ]
    return "\n".join(lines + [""]).encode()


def postscript(pages):
    draw = random.Random(23)
    lines = ["%!PS-Adobe-3.0", "/F { findfont exch scalefont setfont } bind def"]
    for page in range(pages):
        lines.append(f"12 /Times-Roman F 72 740 moveto (page {page}) show")
        for row in range(50):
            line = " ".join(words(draw, 9))
            lines.append(f"{8 + row % 4} /{('Times-Roman', 'Helvetica', 'Courier')[row % 3]} F "
                         f"72 {720 - row * 13} moveto ({line}) show")
        for _ in range(60):
            x, y, turn = draw.randrange(50, 500), draw.randrange(50, 700), draw.randrange(360)
            lines.append(f"gsave {x} {y} translate {turn} rotate 0.{draw.randrange(10)} 0.5 0.{draw.randrange(10)} "
                         "setrgbcolor newpath 0 0 moveto 40 10 60 -30 90 20 curveto 20 60 lineto closepath fill grestore")
        lines.append("showpage")
    return "\n".join(lines + [""]).encode()


def smt(bits, holes):
    """Factor a product by bit vectors, and a pigeon too many for its holes."""
    half = bits // 2
    product = ((1 << half) - 5) * ((1 << half) - 17)
    lines = ["(set-option :smt.random_seed 1)", "(set-logic QF_BV)", f"(declare-const a (_ BitVec {bits}))",
             f"(declare-const b (_ BitVec {bits}))", f"(assert (= (bvmul a b) (_ bv{product} {bits})))",
             f"(assert (bvult a (_ bv{1 << half} {bits})))", f"(assert (bvult b (_ bv{1 << half} {bits})))",
             f"(assert (bvugt a (_ bv1 {bits})))", "(assert (bvule a b))", "(check-sat)", "(reset)"]
    pigeons = range(holes + 1)
    lines += [f"(declare-const p{i}_{k} Bool)" for i in pigeons for k in range(holes)]
    lines += ["(assert (or " + " ".join(f"p{i}_{k}" for k in range(holes)) + "))" for i in pigeons]
    lines += [f"(assert (not (and p{i}_{k} p{j}_{k})))" for k in range(holes) for i in pigeons for j in range(i)]
    return "\n".join(lines + ["(check-sat)", ""]).encode()


def history(commits):
    """A stream for git fast-import: files that change a little with each commit."""
    draw = random.Random(29)
    files = {f"dir{i % 7}/file{i}.txt": [" ".join(words(draw, 9)) for _ in range(60)] for i in range(60)}
    out = []
    for number in range(commits):
        out.append(f"commit refs/heads/main\ncommitter Bench <bench@example.org> {1600000000 + number * 60} +0000\n"
                   f"data 8\nchange\n\n")
        for name in draw.sample(sorted(files), 5):
            files[name][draw.randrange(60)] = " ".join(words(draw, 9))
            body = "\n".join(files[name]) + "\n"
            out.append(f"M 644 inline {name}\ndata {len(body)}\n{body}\n")
    return "".join(out).encode()


def redis_stream(count):
    """Requests in the protocol of redis, and how many."""
    draw = random.Random(31)
    out = []
    for _ in range(count):
        key, small = draw.randrange(count // 10 + 1), draw.randrange(200)
        request = draw.choices((
            ("SET", f"key:{key}", "v" * draw.randrange(8, 700)),
            ("GET", f"key:{key}"),
            ("APPEND", f"key:{key}", "tail" * draw.randrange(1, 30)),
            ("DEL", f"key:{key}"),
            ("HSET", f"hash:{small}", f"field:{key}", "w" * draw.randrange(4, 90)),
            ("LPUSH", f"list:{small}", f"entry {key}"),
            ("LRANGE", f"list:{small}", "0", "20"),
            ("LTRIM", f"list:{small}", "0", "500"),
            ("ZADD", f"rank:{small}", str(key), f"member:{key}"),
            ("SADD", f"set:{small}", f"member:{key}"),
            ("EXPIRE", f"key:{key}", "100000"),
        ), (20, 15, 8, 6, 12, 10, 4, 3, 10, 8, 4))[0]
        out.append(f"*{len(request)}\r\n" + "".join(f"${len(word)}\r\n{word}\r\n" for word in request))
    return "".join(out).encode()
