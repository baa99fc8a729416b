#!/bin/sh
# node.sh - node: its own heap beside ours, Buffers from malloc, worker threads that come and go.

. "$(dirname "$0")/lib.sh"
tap_need node
probe node

prepare() {
    cat > buffers.js <<'END'
const crypto = require('crypto'), zlib = require('zlib');
const hash = crypto.createHash('sha256');
let kept = [];
for (let i = 0; i < 20000; i++) {
    const b = Buffer.alloc(i % 9000 + 1, i & 255);
    hash.update(b);
    kept[i % 500] = b;
}
for (let i = 0; i < 30; i++)
    hash.update(zlib.inflateSync(zlib.deflateSync(Buffer.alloc(300000 + i, 'abc' + i))));
const o = {};
for (let i = 0; i < 100000; i++) o['k' + i % 5000] = { i, s: 'x'.repeat(i % 50) };
console.log(hash.digest('hex'), JSON.stringify(o).length);
console.error('on stderr');
END
    cat > workers.js <<'END'
const { Worker, isMainThread, parentPort, workerData } = require('worker_threads');
if (isMainThread) {
    let left = 24, sum = 0;
    const start = n => {
        const w = new Worker(__filename, { workerData: n });
        w.on('message', m => { sum += m.byteLength; });
        w.on('exit', () => { if (--left === 0) console.log('sum', sum); else if (n + 4 < 24) start(n + 4); });
    };
    for (let n = 0; n < 4; n++) start(n);
} else {
    let kept = [];
    for (let i = 0; i < 2000; i++) kept[i % 100] = Buffer.alloc(i * 7 % 20000 + 1);
    const a = new ArrayBuffer(1000 * (workerData + 1));
    parentPort.postMessage(a, [a]);
}
END
}
same "Buffers, zlib, crypto, objects" node buffers.js
same "24 workers, four at a time, pass buffers on" node workers.js
same "child processes" node -e 'const c = require("child_process");
    for (let i = 0; i < 5; i++) console.log(c.execFileSync("echo", [String(i)]).toString());
    process.exitCode = 4;'
same_output "an error nobody catches" node -e 'process.on("exit", c => console.log("code", c)); setTimeout(() => { null.x }, 1)'
tap_done
