// The least that any writer has to do: reads all files of a tree, hashes the bytes once, compresses them once. floor.js TREE COMPRESSION
import { createHash } from 'node:crypto';
import { closeSync, openSync, readSync } from 'node:fs';
import { join } from 'node:path';
import { compressorOf } from '../../src/archive/compressor.js';
import { readTree } from '../../src/layers/tree.js';
import type { Compression } from '../../src/values/compression.js';

const [tree = '', compression = 'gzip'] = process.argv.slice(2);
const hash = createHash('sha256');

async function* bytes(): AsyncGenerator<Uint8Array> {
  let page = Buffer.allocUnsafe(1 << 20);
  let used = 0;
  for (const [path, entry] of readTree(tree)) {
    if (entry.type !== 'file') continue;
    const file = openSync(join(tree, path), 'r');
    for (let read = -1; read !== 0; used += read) {
      if (used === page.byteLength) {
        hash.update(page);
        yield page;
        page = Buffer.allocUnsafe(1 << 20);
        used = 0;
      }
      read = readSync(file, page, used, page.byteLength - used, null);
    }
    closeSync(file);
  }
  yield page.subarray(0, used);
}

let size = 0;
for await (const part of compressorOf(compression as Compression).compress(bytes())) size += part.byteLength;
console.log(JSON.stringify({ size }));
