// Unpacks a layer of a layout's blobs, with its digests verified: ours.js BLOBS SHA256 SIZE DIFFID TARGET [list]
import { directoryStore } from '../../src/blobs/directory-store.js';
import { recordInventories } from '../../src/layers/inventory.js';
import { type LayerOfImage, openLayer } from '../../src/layers/open-layer.js';
import { unpackLayers } from '../../src/layers/unpack.js';

const [blobs = '', mediaType = '', digest = '', size = '', diffId = '', target = '', list] = process.argv.slice(2);
const layer = { descriptor: { mediaType, digest, size: Number(size) }, diffId } as LayerOfImage;
const watcher = list === undefined ? undefined : recordInventories(list, [layer]);
await unpackLayers([openLayer(layer, directoryStore(blobs))], target, undefined, watcher);
