// Packs a tree into one layer of a layout's blobs: ours.js TREE COMPRESSION BLOBS
import { directoryStore } from '../../src/blobs/directory-store.js';
import { packLayer } from '../../src/layers/pack.js';
import { readTree } from '../../src/layers/tree.js';
import { treeEntries } from '../../src/layers/tree-entries.js';
import type { Compression } from '../../src/values/compression.js';

const [tree = '', compression = 'gzip', blobs = ''] = process.argv.slice(2);
const entries = treeEntries(readTree(tree), { root: tree, at: 'app', uid: 1000, gid: 1000 });
const { descriptor, size } = await packLayer(entries, {
  store: directoryStore(blobs),
  compression: compression as Compression,
});
console.log(JSON.stringify({ ...descriptor, tar: size }));
