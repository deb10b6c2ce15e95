import { execFileSync } from 'node:child_process';
import { mkdtemp, readdir, symlink, unlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { probeBubblewrap } from '../../../src/probes/bubblewrap.js';
import { probeCacheDirectory } from '../../../src/probes/cache-directory.js';
import { probeCgroups } from '../../../src/probes/cgroups.js';
import { probeSeccomp } from '../../../src/probes/seccomp.js';
import { probeAuthorities, probeNode } from '../../../src/probes/surroundings.js';
import { probeUserNamespaces } from '../../../src/probes/user-namespaces.js';
import { removeTree } from '../../../src/system/remove.js';
import { findProgram } from '../../../src/system/tools.js';

/** These tests run in sandboxes themselves: what they need, a machine that runs them has. */
const env = { PATH: process.env['PATH'] ?? '' };

let home = '';
beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'pack-build-probes-'));
});
afterAll(async () => removeTree(home));

describe('a probe on this machine', () => {
  it('SBX-15 makes a user namespace, with bwrap and with unshare', async () => {
    expect(await probeUserNamespaces({ env })).toMatchObject({ state: 'ok' });
    const unshare = await findProgram('unshare', env.PATH);
    await symlink(unshare ?? '', join(home, 'unshare'));
    expect(await probeUserNamespaces({ env: { PATH: home } })).toMatchObject({ state: 'ok', found: 'one can be made' });
    await unlink(join(home, 'unshare'));
  });

  it('SBX-15 starts a sandbox, and finds no rights in it', async () => {
    expect(await probeBubblewrap({ env })).toMatchObject({
      state: 'ok',
      details: { capabilities: '0000000000000000', version: expect.stringMatching(/^bubblewrap \d/) },
    });
  });

  it('SBX-15 puts a program under a filter of system calls', async () => {
    expect(await probeSeccomp({ env })).toMatchObject({ state: 'ok', details: { mode: '2' } });
  });

  it('SBX-15 leaves no control group', async () => {
    const { details } = await probeCgroups();
    expect(['v1', 'v2', 'hybrid']).toContain(details['version']);
    for (const parent of ['/sys/fs/cgroup', '/sys/fs/cgroup/memory', '/sys/fs/cgroup/pids'])
      expect((await readdir(parent).catch(() => [])).filter((name) => name.includes('doctor'))).toEqual([]);
  });

  it('SBX-15 looks at the file system where the cache will be, and leaves nothing there', async () => {
    const kind = execFileSync('findmnt', ['-n', '-o', 'FSTYPE', '-T', home], { encoding: 'utf8' }).trim();
    const { state, details } = await probeCacheDirectory(join(home, 'not/there/yet'));
    expect([state, details['executes'], details['path']]).toEqual(['ok', true, join(home, 'not/there/yet')]);
    expect(details['fileSystem']).toBe(kind);
    expect(await readdir(home)).toEqual([]);
  });

  it('SBX-15 tells of a cache where nothing can be made', async () => {
    expect(await probeCacheDirectory('/proc/cache')).toMatchObject({ state: 'no', code: 'STORE_FAILED' });
  });

  it('tells of a Node that is too old', async () => {
    expect(await probeNode('v18.20.4')).toMatchObject({ state: 'no', found: 'v18.20.4, but 20.19 or newer is needed' });
    expect(await probeNode('v20.19.0')).toMatchObject({ state: 'ok' });
    expect(await probeNode('v26.0.0')).toMatchObject({ state: 'ok' });
  });

  it('tells of authorities that cannot be read', async () => {
    const lost = join(home, 'lost.pem');
    expect(await probeAuthorities({}, [lost])).toMatchObject({ state: 'no', found: expect.stringContaining(lost) });
    expect(await probeAuthorities({ SSL_CERT_FILE: lost })).toMatchObject({
      state: 'warn',
      fix: 'correct SSL_CERT_FILE, or unset it',
    });
    expect(await probeAuthorities({})).toMatchObject({ state: 'ok' });
  });
});
