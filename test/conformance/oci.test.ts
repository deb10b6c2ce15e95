import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { lstat, mkdir, readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { LAYER_MTIME } from '../../src/archive/tar-header.js';
import { digestOfImage, type Image, labelsOf, layersOf } from '../../src/oci/image.js';
import { RECORD_LABEL } from '../../src/oci/record.js';
import { type Built, buildpack, type Files, useProduct } from '../support/product.js';

const product = useProduct();

const FILES: Files = {
  Procfile: 'web: echo "hello from $DYNO"; id -u; pwd\n',
  'bin/tool': { text: '#!/bin/sh\necho tool\n', mode: 0o755 },
  [`${'long'.repeat(40)}/ünï-😀`]: 'deep\n',
  link: { link: 'bin/tool' },
};

/** Makes a layer for a runtime beside those of source and buildpack. */
const BUILDPACK = buildpack({
  compile: 'mkdir -p "$1/.heroku/node"; head -c 2000000 /dev/zero > "$1/.heroku/node/big"; echo made > "$1/made"',
});

let home = '';
let built: Built;
let places: { readonly oci: string; readonly archive: string; readonly docker: string };

beforeAll(async () => {
  home = await product.directory();
  places = {
    oci: `oci:${home}/layout:latest`,
    archive: `oci-archive:${home}/image.tar:latest`,
    docker: `docker-archive:${home}/docker.tar:example.com/app:1`,
  };
  built = await product.build({ files: FILES, buildpacks: [BUILDPACK], request: { to: Object.values(places) } });
}, 60_000);

/** Runs a tool that must be there. */
async function tool(name: string, ...args: readonly string[]): Promise<string> {
  const { stdout } = await promisify(execFile)(name, [...args], { maxBuffer: 1e8 }).catch((error) => {
    throw error.code === 'ENOENT' ? new Error(`${name} is not installed: scripts/setup.sh test`) : error;
  });
  return stdout;
}

function sha256(text: string | Uint8Array): string {
  return `sha256:${createHash('sha256').update(text).digest('hex')}`;
}

describe('skopeo', () => {
  it.each(['oci', 'archive'] as const)('finds the same manifest and config in the %s', async (form) => {
    expect(sha256(await tool('skopeo', 'inspect', '--raw', places[form]))).toBe(built.result.digest);
    const config = await tool('skopeo', 'inspect', '--config', '--raw', places[form]);
    expect(sha256(config)).toBe(built.result.image.config.descriptor.digest);
  });

  it('finds the same config and layers in the docker-archive', async () => {
    const config = await tool('skopeo', 'inspect', '--config', '--raw', places.docker);
    expect(sha256(config)).toBe(built.result.image.config.descriptor.digest);
    const { layers } = JSON.parse(await tool('skopeo', 'inspect', '--raw', places.docker));
    expect(layers.map(({ digest }: { readonly digest: string }) => digest)).toEqual(
      layersOf(built.result.image).map(({ diffId }) => diffId),
    );
  });

  it.each(['oci', 'archive', 'docker'] as const)('copies the %s, with every blob as its digest says', async (form) => {
    const copy = `${home}/copy-of-${form}`;
    await tool('skopeo', 'copy', '--insecure-policy', '--quiet', places[form], `dir:${copy}`);
    const manifest = await readFile(`${copy}/manifest.json`, 'utf8');
    if (form !== 'docker') expect(sha256(manifest)).toBe(built.result.digest);
    expect(JSON.parse(manifest).config.digest).toBe(built.result.image.config.descriptor.digest);
  });

  it.each([
    ['none', ''],
    ['gzip:1', '+gzip'],
    ['zstd', '+zstd'],
  ] as const)('reads an image whose layers are made with %s', async (compression, suffix) => {
    const name = `${home}/made-with-${compression.replace(':', '-')}`;
    const { result } = await product.build({ files: FILES, request: { to: [`oci:${name}:latest`], compression } });
    await tool('skopeo', 'copy', '--insecure-policy', '--quiet', `oci:${name}:latest`, `dir:${name}-copy`);
    expect(sha256(await readFile(`${name}-copy/manifest.json`))).toBe(result.digest);
    const layer = result.image.manifest.value.layers.at(-1);
    expect(layer?.mediaType).toBe(`application/vnd.oci.image.layer.v1.tar${suffix}`);
  });

  it('reads an image that was rebased', async () => {
    const moved = `oci:${home}/moved:latest`;
    const { digest } = await product.rebase(places.oci, { base: product.base().place('next'), to: [moved] });
    await tool('skopeo', 'copy', '--insecure-policy', '--quiet', moved, `dir:${home}/moved-copy`);
    expect(sha256(await readFile(`${home}/moved-copy/manifest.json`))).toBe(digest);
  });
});

describe('umoci', () => {
  it('unpacks the layout to what was built', async () => {
    await tool('umoci', 'unpack', '--rootless', '--image', places.oci.slice('oci:'.length), `${home}/bundle`);
    const root = `${home}/bundle/rootfs`;
    const found = await Promise.all(
      built.layers
        .flatMap(({ entries }) => entries)
        .map(async ({ entry: { path } }) => {
          const stat = await lstat(join(root, path));
          const content = stat.isFile() ? sha256(await readFile(join(root, path))) : '';
          return [path, stat.mode & 0o777, stat.mtimeMs / 1000, content];
        }),
    );
    const expected = built.layers
      .flatMap(({ entries }) => entries)
      .map(({ entry: { path, type, mode }, content }) => [
        path,
        mode,
        LAYER_MTIME,
        type === 'file' ? sha256(content) : '',
      ]);
    expect(found).toEqual(expected);
  });

  it('tells the settings that the image has', async () => {
    const config = JSON.parse(await readFile(`${home}/bundle/config.json`, 'utf8'));
    expect(config.process).toMatchObject({ args: ['/pack-build/launcher', 'web'], cwd: '/app' });
    expect(config.process.user).toMatchObject({ uid: 1000, gid: 1000 });
    expect(config.process.env).toEqual(expect.arrayContaining(['HOME=/app', 'PATH=/usr/local/bin:/usr/bin:/bin']));
  });
});

describe('podman', () => {
  const podman = (...args: readonly string[]) => podmanIn('storage', ...args);
  const podmanIn = (name: string, ...args: readonly string[]) => {
    const storage = ['--root', `${home}/${name}`, '--runroot', `${home}/run`, '--tmpdir', `${home}/tmp`];
    const quiet = ['--storage-driver', 'vfs', '--cgroup-manager', 'cgroupfs', '--events-backend', 'none'];
    return tool('podman', ...storage, ...quiet, '--runtime', 'runc', ...args);
  };
  // Its own limits would be above those of a container in which these tests may run.
  const run = (...args: readonly string[]) =>
    podman('run', '--network', 'host', '--ulimit', 'nofile=1024:1024', '--ulimit', 'nproc=1024:1024', ...args);

  beforeAll(async () => {
    await mkdir(`${home}/tmp`);
    await podman('load', '--quiet', '--input', `${home}/docker.tar`);
  }, 60_000);
  afterAll(async () => {
    await podman('rm', '--all', '--force');
  });

  it('names the image by the digest of its config', async () => {
    const id = await podman('image', 'inspect', '--format', '{{.Id}}', 'example.com/app:1');
    expect(`sha256:${id.trim()}`).toBe(built.result.image.config.descriptor.digest);
  });

  it('loads the same image from the oci-archive', async () => {
    const other = (...args: readonly string[]) => podmanIn('other-storage', ...args);
    const name = (await other('load', '--quiet', '--input', `${home}/image.tar`)).trim().split(' ').at(-1) ?? '';
    const [id, digest] = (await other('image', 'inspect', '--format', '{{.Id}} {{.Digest}}', name)).trim().split(' ');
    expect([`sha256:${id}`, digest]).toEqual([built.result.image.config.descriptor.digest, built.result.digest]);
  });

  it('starts the default process as uid 1000 in /app', async () => {
    expect(await run('--rm', 'example.com/app:1')).toBe('hello from web.1\n1000\n/app\n');
  });

  it('runs a command with the status that it ends with', async () => {
    const error = await run('--rm', 'example.com/app:1', 'cat made; exit 7').catch((thrown) => thrown);
    expect([error.code, error.stdout]).toEqual([7, 'made\n']);
  });

  it('R108 stops the launcher, which is process 1, with status 143', async () => {
    await run('--detach', '--name', 'stops', 'example.com/app:1', 'cat /proc/1/comm; sleep 60');
    const said = () => podman('logs', 'stops');
    while (!(await said()).includes('launcher')) await new Promise((resolve) => setTimeout(resolve, 50));
    await podman('stop', '--time', '20', 'stops');
    expect((await podman('inspect', '--format', '{{.State.ExitCode}}', 'stops')).trim()).toBe('143');
  });
});

describe('every layer of the app', () => {
  it('holds each path once, after the directories above it, in the order of bytes', () => {
    for (const { name, entries } of built.layers) {
      const paths = entries.map(({ entry }) => entry.path);
      const seen = new Set<string>();
      for (const path of paths) {
        const parent = dirname(path);
        expect([name, path, parent === '.' || seen.has(parent), seen.has(path)]).toEqual([name, path, true, false]);
        seen.add(path);
      }
      expect(paths).toEqual([...paths].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b))));
    }
  });

  it('has one time, belongs to 1000 in /app and to root elsewhere, and deletes nothing', () => {
    const entries = built.layers.flatMap((layer) => layer.entries);
    expect(new Set(entries.map(({ mtime }) => mtime))).toEqual(new Set([LAYER_MTIME]));
    for (const { entry } of entries) {
      const owner = entry.path === 'app' || entry.path.startsWith('app/') ? 1000 : 0;
      expect([entry.path, entry.uid, entry.gid]).toEqual([entry.path, owner, owner]);
      expect(entry.path).toMatch(/^(app|pack-build)(\/|$)/);
      expect(entry.path).not.toContain('.wh.');
    }
  });

  it('holds other files than every other layer', () => {
    const files = built.layers.flatMap(({ entries }) =>
      entries.filter(({ entry }) => entry.type !== 'directory').map(({ entry }) => entry.path),
    );
    expect(new Set(files).size).toBe(files.length);
    expect(built.layers.map(({ name }) => name)).toEqual([
      'launcher',
      'process table',
      '.heroku/node',
      'test',
      'source',
    ]);
  });
});

describe('the documents of an image', () => {
  const image = (): Image => built.result.image;

  it('are OCI, with the types, sizes and digests of what they name', () => {
    const { mediaType, schemaVersion, config, layers } = image().manifest.value;
    expect([mediaType, schemaVersion]).toEqual(['application/vnd.oci.image.manifest.v1+json', 2]);
    expect(config).toEqual({
      mediaType: 'application/vnd.oci.image.config.v1+json',
      digest: sha256(image().config.bytes),
      size: image().config.bytes.byteLength,
    });
    expect(new Set(layers.map((layer) => layer.mediaType))).toEqual(
      new Set(['application/vnd.oci.image.layer.v1.tar+gzip']),
    );
  });

  it('tell one history entry for each layer, and the time of the app alone', () => {
    const { history = [], rootfs, created } = image().config.value;
    expect(history).toHaveLength(rootfs.diff_ids.length);
    expect(history.slice(1).map((entry) => entry.created)).toEqual(built.layers.map(() => created));
    expect(created).toBe('1980-01-01T00:00:01Z');
  });

  it('carry the seam record in a label, and its digest in an annotation', () => {
    const label = labelsOf(image())[RECORD_LABEL] ?? '';
    const annotations = image().manifest.value.annotations ?? {};
    expect(JSON.parse(annotations[RECORD_LABEL] ?? '')).toEqual({ schema: 1, digest: sha256(label) });
    expect(annotations).toMatchObject({
      'org.opencontainers.image.base.name': 'run',
      'org.opencontainers.image.base.digest': built.result.bases.run,
      'org.opencontainers.image.created': '1980-01-01T00:00:01Z',
    });
    expect(digestOfImage(image())).toBe(built.result.digest);
  });

  it('say nothing of the base in the names that would be untrue of the app', () => {
    expect(Object.keys(labelsOf(image())).filter((name) => name.startsWith('org.opencontainers.image.'))).toEqual([]);
  });
});
