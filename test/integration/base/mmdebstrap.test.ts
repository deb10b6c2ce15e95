import { chmod, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { bootstrapDebian } from '../../../src/base/bootstrap.js';
import { suiteNamed } from '../../../src/base/suites.js';

const SYSTEM_PATH = '/usr/sbin:/usr/bin:/sbin:/bin';

let work: string;

beforeEach(async () => {
  work = await mkdtemp(join(tmpdir(), 'pack-build-test-'));
  await mkdir(join(work, 'out'));
  await mkdir(join(work, 'bin'));
});

afterEach(() => rm(work, { recursive: true, force: true }));

/** Puts a program of the name mmdebstrap on the PATH: it tells its version, else does as the script says. */
async function pretend(script: string, version = '1.3.5'): Promise<void> {
  const file = join(work, 'bin/mmdebstrap');
  const helpers = `--version) echo "mmdebstrap ${version}"; exit ;; --unshare-helper) shift; exec "$@" ;;`;
  await writeFile(file, `#!/bin/sh\ncase $1 in ${helpers} esac\n${script}\n`);
  await chmod(file, 0o755);
}

function bootstrap(extra: { signal?: AbortSignal; path?: string; include?: string[] } = {}) {
  return bootstrapDebian({
    suite: suiteNamed('debian-12'),
    include: extra.include ?? [],
    security: false,
    only: 'run',
    workDir: join(work, 'out'),
    env: { PATH: extra.path ?? `${join(work, 'bin')}:${SYSTEM_PATH}`, SECRET: 'x' },
    signal: extra.signal,
  });
}

/** Waits for the pretended mmdebstrap to say where it works. */
async function scratchDirectory(): Promise<string> {
  for (;;) {
    const text = await readFile(join(work, 'out/tmpdir'), 'utf8').catch(() => '');
    if (text.endsWith('\n')) return text.trim();
    await sleep(20);
  }
}

describe('bootstrapDebian', () => {
  it('says what to install when there is no mmdebstrap', async () => {
    await expect(bootstrap({ path: join(work, 'bin') })).rejects.toMatchObject({
      code: 'TOOL_MISSING',
      fix: 'apt-get install mmdebstrap',
    });
  });

  it('refuses an mmdebstrap that is too old', async () => {
    await pretend('', '0.8.4');
    await expect(bootstrap()).rejects.toMatchObject({
      code: 'TOOL_MISSING',
      why: 'found mmdebstrap 0.8.4; at least 1.2.0 is needed',
    });
  });

  it('shows the last lines of an mmdebstrap that fails, and removes what it left', async () => {
    await pretend(
      'echo "$TMPDIR" > "$PACK_BUILD_OUT/tmpdir"; mkdir -p "$TMPDIR/left/behind"; echo "E: odd" >&2; exit 7',
    );
    await expect(bootstrap()).rejects.toMatchObject({
      code: 'BASE_CREATE_FAILED',
      why: 'mmdebstrap ended with exit status 7; its last lines:\n  E: odd',
    });
    const scratch = await scratchDirectory();
    await expect(readdir(scratch)).rejects.toMatchObject({ code: 'ENOENT' });
  });

  it('stops mmdebstrap when interrupted, and removes what it left', async () => {
    await pretend('mkdir "$TMPDIR/left"; echo "$TMPDIR" > "$PACK_BUILD_OUT/tmpdir"; exec sleep 600');
    const stop = new AbortController();
    const ended = bootstrap({ signal: stop.signal }).catch((error: unknown) => error);
    const scratch = await scratchDirectory();
    stop.abort();
    expect(await ended).toMatchObject({
      code: 'INTERRUPTED',
      message: 'interrupted while the base debian-12 was made',
    });
    await expect(readdir(scratch)).rejects.toMatchObject({ code: 'ENOENT' });
  });

  it('gives mmdebstrap nothing of the environment but PATH and proxies', async () => {
    await pretend('env > "$PACK_BUILD_OUT/env"; exit 1');
    await bootstrap().catch(() => undefined);
    const names = (await readFile(join(work, 'out/env'), 'utf8')).split('\n').map((line) => line.split('=')[0]);
    expect(names).toContain('SOURCE_DATE_EPOCH');
    expect(names).not.toContain('SECRET');
    expect(names).not.toContain('HOME');
  });

  it('starts nothing for a name that is no package', async () => {
    await pretend('touch "$PACK_BUILD_OUT/started"');
    await expect(bootstrap({ include: ['--evil'] })).rejects.toMatchObject({ code: 'USAGE' });
    expect(await readdir(join(work, 'out'))).toEqual([]);
  });
});
