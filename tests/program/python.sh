#!/bin/sh
# python.sh - the Python interpreter: its own small-object allocator, then every object from malloc.

. "$(dirname "$0")/lib.sh"
tap_need python3
python=$(python3 -c 'import sys; print(sys.executable)')
probe "$python"

prepare() {
    cat > churn.py <<'END'
import json, re, random, hashlib
random.seed(7)
text = ' '.join('%s%d' % (random.choice('abcdefgh') * random.randint(1, 9), i) for i in range(20000))
words = {}
for word in re.findall(r'([a-h]+)(\d+)', text):
    words.setdefault(word[0], []).append(int(word[1]))
for i in range(50000):
    words['k%d' % (i % 997)] = 'v' * (i % 300)
    if i % 3 == 0:
        words.pop('k%d' % (i * 7 % 997), None)
dump = json.dumps(words, sort_keys=True)
assert json.loads(dump) == words
blobs = [bytes(random.randrange(256) for _ in range(64)) * random.randint(1, 4000) for _ in range(200)]
random.shuffle(blobs)
print(len(dump), hashlib.sha256(dump.encode() + b''.join(blobs)).hexdigest())
END
    cat > threads.py <<'END'
import threading, queue, zlib
work, done = queue.Queue(), queue.Queue()
def run():
    while (item := work.get()) is not None:
        done.put((item, zlib.crc32(zlib.compress(b'%d ' % item * (item % 5000)))))
team = [threading.Thread(target=run) for _ in range(16)]
for t in team: t.start()
for i in range(3000): work.put(i)
for t in team: work.put(None)
for t in team: t.join()
print(sorted(done.queue)[::250])
END
    cat > processes.py <<'END'
import multiprocessing, os, threading
def square(x):
    return sum(len(str(i)) * x for i in range(2000))
def main():
    for method in ('fork', 'spawn', 'forkserver'):
        with multiprocessing.get_context(method).Pool(3) as pool:
            print(method, sum(pool.map(square, range(60))))
    noise = [threading.Thread(target=lambda: [bytearray(n % 9000) for n in range(20000)]) for _ in range(4)]
    for t in noise: t.start()
    for n in range(20):
        pid = os.fork()
        if pid == 0:
            os._exit(len([bytearray(k) for k in range(5000)]) % 251)
        assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 5000 % 251
    for t in noise: t.join()
    print('forked while threads allocate')
if __name__ == '__main__':
    main()
END
    cat > foreign.py <<'END'
import ctypes
c = ctypes.CDLL(None)
for name in ('malloc', 'calloc', 'realloc', 'strdup', 'aligned_alloc'):
    getattr(c, name).restype = ctypes.c_void_p
c.free.argtypes = [ctypes.c_void_p]
c.realloc.argtypes = [ctypes.c_void_p, ctypes.c_size_t]
p = c.malloc(100)
ctypes.memset(p, 65, 100)
p = c.realloc(p, 100000)
print(ctypes.string_at(p, 100))
c.free(p)
q = c.strdup(b'twenty-two characters.')
print(ctypes.string_at(q))
c.free(q)
print(ctypes.string_at(c.calloc(7, 11), 77) == bytes(77), c.aligned_alloc(4096, 100) % 4096)
compare = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_int), ctypes.POINTER(ctypes.c_int))
numbers = (ctypes.c_int * 1000)(*[i * 7919 % 1000 for i in range(1000)])
c.qsort(numbers, 1000, 4, compare(lambda a, b: a[0] - b[0]))
print(list(numbers) == list(range(1000)))
END
    cat > squeeze.py <<'END'
import bz2, lzma, zlib, sqlite3, hashlib, decimal, io, pickle
data = b''.join(b'%d, ' % (i * i) for i in range(60000))
for module in (bz2, lzma, zlib):
    packed = module.compress(data)
    print(module.__name__, len(packed), module.decompress(packed) == data)
base = sqlite3.connect(':memory:')
base.execute('create table t (a integer primary key, b text)')
base.executemany('insert into t values (?, ?)', ((i, str(i) * (i % 50)) for i in range(20000)))
print(base.execute('select count(*), sum(length(b)), max(b) from t where a % 3 = 1').fetchone())
decimal.getcontext().prec = 3000
print(hashlib.md5(str(decimal.Decimal(2).sqrt()).encode()).hexdigest())
print(len(pickle.dumps([{'a': i, 'b': [i] * 9} for i in range(9000)])))
END
}
same "a churn of JSON, regular expressions and dicts" "$python" churn.py
same "the same churn with every object from malloc" env PYTHONMALLOC=malloc PYTHONHASHSEED=0 "$python" churn.py
same "the same churn under Python's own debug hooks" env PYTHONMALLOC=malloc_debug "$python" churn.py
same "sixteen threads pass blocks to each other" "$python" threads.py
same "sixteen threads, every object from malloc" env PYTHONMALLOC=malloc "$python" threads.py
same_output "processes by fork, spawn and forkserver; fork while threads allocate" env PYTHONDONTWRITEBYTECODE=1 \
    "$python" processes.py
same "malloc, realloc, strdup and callbacks by ctypes" "$python" foreign.py
same "bz2, lzma, zlib, sqlite3, decimal, pickle" env PYTHONMALLOC=malloc "$python" squeeze.py
same "an exception nobody catches" "$python" -c 'x = [bytearray(i) for i in range(999)]; {}["no such key"]'
same "an exit status of its own" "$python" -c 'import sys; print("out"); sys.exit(3)'
same "a MemoryError is raised and survived" "$python" -c '
try:
    bytearray(1 << 62)
except MemoryError:
    print("no memory")
print(len(bytearray(1 << 20)))'
# test_import_from_another_thread fails wherever something at start imports threading, which packages of a site may do.
if test -n "${MIDDEN_LONG:-}" && "$python" -c 'import test.test_json' 2>/dev/null; then
    limit=600
    works "Python's own tests" sh -c "PYTHONMALLOC=malloc '$python' -m test -q -i test_import_from_another_thread \
        test_json test_re test_dict test_list test_bytes test_ctypes test_threading test_fork1 test_subprocess test_weakref test_gc > log 2>&1 ||
        { cat log >&2; exit 1; }"
fi
tap_done
