// Reads a tar file with the strict reader, and nothing else: gate.js FILE. Prints the seconds that the reader alone took.
import { closeSync, openSync, readSync } from 'node:fs';
import { tarParser } from '../../src/archive/tar-parse.js';
import { LAYER, TREE } from '../../src/archive/tar-profile.js';

const [path = '', profile = 'layer'] = process.argv.slice(2);
const file = openSync(path, 'r');
const buffer = Buffer.allocUnsafe(1 << 20);
let [entries, size, ms] = [0, 0, 0];
const count = () => {
  entries += 1;
};
const parser = tarParser(profile === 'layer' ? LAYER : TREE, { begin: count, data: () => {}, end: () => {} });
for (let read = readSync(file, buffer); read > 0; read = readSync(file, buffer)) {
  const from = performance.now();
  parser.push(buffer.subarray(0, read));
  ms += performance.now() - from;
  size += read;
}
closeSync(file);
parser.finish();
console.log(JSON.stringify({ entries, size, ms }));
