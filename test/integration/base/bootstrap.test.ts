import { createReadStream } from 'node:fs';
import { mkdir, mkdtemp, readdir, rm } from 'node:fs/promises';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { env } from 'node:process';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { TarEntry } from '../../../src/archive/tar-entry.js';
import { LAYER_MTIME } from '../../../src/archive/tar-header.js';
import { LAYER } from '../../../src/archive/tar-profile.js';
import { readTar } from '../../../src/archive/tar-read.js';
import { type Bootstrapped, bootstrapDebian } from '../../../src/base/bootstrap.js';
import { suiteNamed } from '../../../src/base/suites.js';
import { bytesOf } from '../../support/tar.js';

const MINUTES = 60_000;

interface Seen {
  readonly entry: TarEntry;
  readonly mtime: number;
  readonly text: string;
}

describe('a run image bootstrapped from the archive', () => {
  let work: string;
  let made: Bootstrapped;
  const tree = new Map<string, Seen>();

  beforeAll(async () => {
    work = await mkdtemp(join(tmpdir(), 'pack-build-test-'));
    await mkdir(join(work, 'out'));
    made = await bootstrapDebian({
      suite: suiteNamed('debian-12'),
      include: ['tree'],
      security: false,
      only: 'run',
      workDir: join(work, 'out'),
      debCache: join(work, 'cache'),
      env,
    });
    for await (const { entry, mtime, content } of readTar(createReadStream(made.run.tar), LAYER)) {
      const bytes = await bytesOf(content);
      tree.set(entry.path, { entry, mtime, text: bytes.byteLength < 65_536 ? bytes.toString('utf8') : '' });
    }
  }, 10 * MINUTES);

  afterAll(() => rm(work, { recursive: true, force: true }));

  it('R44 has the commands that apps and buildpacks call', () => {
    const commands =
      'bash nproc df realpath sha256sum mktemp find sed grep gawk tar gzip bzip2 xz zstd jq curl perl shasum';
    const missing = `${commands} dpkg python3 file ps findmnt env openssl`.split(' ').filter((name) => {
      return !tree.has(`usr/bin/${name}`) && !tree.has(`bin/${name}`);
    });
    expect(missing).toEqual([]);
    expect(tree.has('etc/ssl/certs/ca-certificates.crt')).toBe(true);
  });

  it('R43 has the user heroku, and an empty /app that is its own', () => {
    expect(tree.get('etc/passwd')?.text).toMatch(/^heroku:x:1000:1000::\/app:\/bin\/bash$/m);
    expect(tree.get('app')?.entry).toMatchObject({ type: 'directory', uid: 1000, gid: 1000, mode: 0o755 });
    expect([...tree.keys()].filter((path) => path.startsWith('app/'))).toEqual([]);
    expect(tree.get('tmp')?.entry.mode).toBe(0o1777);
  });

  it('S33 has a sources.list, which the apt buildpack needs, and names no mirror in it', () => {
    expect(tree.get('etc/apt/sources.list')?.text).toBe('');
  });

  it('has what the user included', () => {
    expect(made.run.packages.map(({ name }) => name)).toContain('tree');
    expect(tree.has('usr/bin/tree')).toBe(true);
    expect(made.version).toMatch(/^12\.\d+$/);
  });

  it('holds nothing of this machine and nothing that changes from run to run', () => {
    for (const name of ['hostname', 'hosts', 'resolv.conf']) expect(tree.get(`etc/${name}`)?.text).toBe('');
    const odd =
      /^(?:(?:dev|proc|sys|run|tmp|var\/cache\/apt|var\/lib\/apt\/lists)\/|.*-old$|etc\/[a-z]+-$|var\/log\/.*\.log$)/;
    expect([...tree.keys()].filter((path) => odd.test(path) || path.includes('pack-build-bootstrap'))).toEqual([]);
    expect(new Set([...tree.values()].map(({ mtime }) => mtime))).toEqual(new Set([LAYER_MTIME]));
    const etc = [...tree.values()].filter(
      ({ entry }) => entry.path.startsWith('etc/') && !entry.path.includes('trusted'),
    );
    const named = etc.filter(({ text }) => new RegExp(`\\b${hostname()}\\b`).test(text));
    expect(named.map(({ entry }) => entry.path)).toEqual([]);
  });

  it('has no documentation but the licences', () => {
    const docs = [...tree.values()].filter(
      ({ entry }) => entry.type === 'file' && /^usr\/share\/(doc|man|locale)\//.test(entry.path),
    );
    expect(docs.length).toBeGreaterThan(50);
    expect(docs.filter(({ entry }) => !entry.path.endsWith('/copyright')).map(({ entry }) => entry.path)).toEqual([]);
  });

  it('keeps the fetched packages for the next time', async () => {
    const kept = await readdir(join(work, 'cache/archives'));
    expect(kept.filter((name) => name.startsWith('bash_'))).toHaveLength(1);
    expect(await readdir(join(work, 'cache'))).toEqual(['archives']);
  });
});
