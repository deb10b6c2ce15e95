import { basename } from 'node:path';
import type { BlobReader } from '../blobs/store.js';
import type { Cache } from '../cache/cache.js';
import { unpackedRoot } from '../layers/roots.js';
import { envRecord } from '../oci/env.js';
import { type Image, layersOf } from '../oci/image.js';
import { split } from '../oci/split.js';
import type { Exit, SandboxCommand } from '../sandbox/sandbox.js';
import { withTempDir } from '../system/tempdir.js';
import { step } from '../values/events.js';
import { mountApp } from './mount-app.js';
import { sweepCache } from './sweep-cache.js';
import { tellDamaged } from './tell-damaged.js';
import type { Tools } from './tools.js';

/** An image of ours, with what holds its layers, and what of it is to be started. */
export interface StartRequest extends Pick<SandboxCommand, 'network' | 'output' | 'init' | 'timeoutMs'> {
  readonly image: Image;
  readonly blobs: BlobReader;
  /** What the launcher gets. */
  readonly args: readonly string[];
  /** Over the image's own environment. */
  readonly env: Readonly<Record<string, string>>;
}

/**
 * Starts a process of an image of ours over its unpacked base, and waits for its end. /app is a copy that is thrown away
 * afterwards. Throws as `split`, and what unpacking and the sandbox throw.
 */
export async function startImage(request: StartRequest, cache: Cache, tools: Tools): Promise<Exit> {
  const { image, blobs, args } = request;
  const { app, base } = split(image);
  const layers = layersOf(image).slice(0, base.layers.length);
  const use = (name: string) => cache.use('roots', name);
  const onDamaged = (path: string) => tellDamaged(`the unpacked ${basename(path)}`, tools.on);
  const unpacking = { directory: cache.roots, use, onDamaged, blobs, signal: tools.signal };
  const root = await step(tools.on, 'unpack', base.name, () => unpackedRoot({ ...unpacking, layers }));
  const { Entrypoint = [], Cmd = [], Env = [], WorkingDir = '/app' } = image.config.value.config ?? {};
  const [program = '/pack-build/launcher', ...rest] = [...Entrypoint, ...(args.length === 0 ? Cmd : args)];
  await sweepCache(cache);
  return withTempDir('run', cache.work, async (directory) => {
    const mounts = await mountApp({ ...unpacking, layers: app.layers }, directory, tools.on);
    return tools.sandbox.run({
      root: root.path,
      mounts,
      argv: [program, ...rest],
      cwd: WorkingDir,
      env: { ...envRecord(Env), ...request.env },
      network: request.network,
      output: request.output,
      onOutput: (bytes, stream) =>
        tools.on({ type: 'output', step: 'start', subject: args[0] ?? Cmd[0] ?? '', stream, bytes }),
      init: request.init,
      timeoutMs: request.timeoutMs,
      signal: tools.signal,
    });
  });
}
