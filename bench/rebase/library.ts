// Moves images in one process, with the library as users have it: so many at once.
import { hostSandbox, rebase, registries } from '../../src/index.js';

/** What this program is asked to do, as its argument in JSON. */
export interface LibraryTask {
  /** `HOST:PORT`. */
  readonly host: string;
  readonly images: readonly string[];
  readonly base: string;
  readonly cacheDir: string;
  /** Images at once, and requests at once. */
  readonly width: number;
}

const { host, images, base, cacheDir, width } = JSON.parse(process.argv[2] ?? '') as LibraryTask;
const tuning = width === 1 ? {} : { parallel: width };
const tools = { sandbox: hostSandbox(), env: {}, registries: registries({ env: {}, insecure: [host], tuning }) };
const platform = { os: 'linux', architecture: 'amd64' };
const queue = [...images];
const worker = async () => {
  for (let image = queue.shift(); image !== undefined; image = queue.shift())
    await rebase({ image, base, platform, cacheDir }, tools);
};
await Promise.all(Array.from({ length: width }, worker));
