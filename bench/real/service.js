// service.js - buffers, compression, JSON: service.js COUNT
const crypto = require('crypto');
const zlib = require('zlib');

let state = 99;
function draw(limit) {
    state = (Math.imul(state, 1103515245) + 12345) >>> 0;
    return (state >>> 16) % limit;
}

const hash = crypto.createHash('sha256');
const kept = new Map();
for (let i = 0; i < Number(process.argv[2]); i++) {
    const record = { id: i, tags: [], body: 'text '.repeat(draw(200)) };
    for (let k = 0; k < 10; k++) record.tags.push('tag' + draw(1000));
    const packed = zlib.deflateRawSync(Buffer.from(JSON.stringify(record)), { level: 1 });
    kept.set(draw(2000), Buffer.concat([Buffer.alloc(draw(4000)), packed]));
    if (i % 7 === 0) hash.update(JSON.stringify(JSON.parse(zlib.inflateRawSync(packed).toString()).tags));
}
let bytes = 0;
for (const buffer of kept.values()) bytes += buffer.length;
hash.update(String(bytes));
console.log(hash.digest('hex'), kept.size);
