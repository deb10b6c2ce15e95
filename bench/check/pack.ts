// Packs a tree into an image of one layer, and keeps what it holds: pack.js TREE LAYOUT CACHE
import { directoryStore } from '../../src/blobs/directory-store.js';
import { cacheAt } from '../../src/cache/cache.js';
import { keepScan } from '../../src/layers/layer-scan.js';
import { packLayer } from '../../src/layers/pack.js';
import { readTree } from '../../src/layers/tree.js';
import { treeEntries } from '../../src/layers/tree-entries.js';
import { openTarget } from '../../src/layout/places.js';
import { OCI_CONFIG, OCI_MANIFEST } from '../../src/oci/media-types.js';
import { documentOf } from '../../src/values/document.js';

const [tree = '', layout = '', cacheDir = ''] = process.argv.slice(2);
const cache = cacheAt(cacheDir);
const store = directoryStore(cache.blobs);
const entries = treeEntries(readTree(tree), { root: tree, at: 'app', uid: 1000, gid: 1000 });
const packed = await packLayer(entries, { store });
const from = performance.now();
await keepScan(cache.inventories, entries, packed);
const keepMs = performance.now() - from;

const rootfs = { type: 'layers' as const, diff_ids: [packed.diffId] };
const config = documentOf({ os: 'linux', architecture: 'amd64', config: { User: '1000:1000' }, rootfs }, OCI_CONFIG);
const value = {
  schemaVersion: 2 as const,
  mediaType: OCI_MANIFEST,
  config: config.descriptor,
  layers: [packed.descriptor],
};
const image = { config, manifest: documentOf(value, OCI_MANIFEST) };
await openTarget({ kind: 'oci', path: layout, tag: 'app' }).put(image, store);
console.log(JSON.stringify({ keepMs, entries: entries.length, tar: packed.size }));
