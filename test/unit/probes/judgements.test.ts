import { describe, expect, it } from '@jest/globals';
import { statusFields } from '../../../src/probes/bubblewrap.js';
import { fileSystemIn } from '../../../src/probes/cache-directory.js';
import { cgroupVersion } from '../../../src/probes/cgroups.js';
import { holeIn } from '../../../src/probes/programs.js';
import { probeProxy } from '../../../src/probes/surroundings.js';
import { forbidden } from '../../../src/probes/user-namespaces.js';
import { groupParents } from '../../../src/sandbox/cgroup.js';

describe('user namespaces that are forbidden', () => {
  it.each([
    ['kernel.apparmor_restrict_unprivileged_userns', '1', '0'],
    ['kernel.unprivileged_userns_clone', '0', '1'],
    ['user.max_user_namespaces', '0', '15000'],
  ])('SBX-15 are forbidden by %s = %s', (name, value, cure) => {
    const settings = { 'user.max_user_namespaces': '96365', [name]: value };
    const { state, found, fix, code } = forbidden('EPERM', settings);
    expect([state, found, code]).toEqual(['no', `${name} is ${value}: EPERM`, 'SANDBOX_FAILED']);
    expect(fix).toMatch(new RegExp(`^sysctl -w ${name}=${cure}`));
  });

  it('SBX-15 are forbidden by something else where all switches allow them', () => {
    const { found, fix } = forbidden('EPERM', { 'kernel.unprivileged_userns_clone': '1' });
    expect(found).toBe('none can be made, though no sysctl forbids it: EPERM');
    expect(fix).toContain('seccomp=unconfined');
  });
});

describe('a version with known holes', () => {
  it.each([
    ['podman', 'podman version 4.3.1', '4.9.4'],
    ['podman', 'podman version 4.9.4', undefined],
    ['podman', 'podman version 5.0.0', '5.0.1'],
    ['podman', 'podman version 5.6.2', undefined],
    ['runc', 'runc version 1.1.5+ds1', '1.2.8'],
    ['runc', 'runc version 1.2.8', undefined],
    ['runc', 'runc version 1.3.2', '1.3.3'],
    ['runc', 'runc version 1.4.0', undefined],
    ['runc', 'runc of somebody', undefined],
  ])('SBX-15 %s: %s is mended by %s', async (name, says, fixedIn) => {
    expect(await holeIn(name, says)).toBe(fixedIn);
  });
});

describe('control groups', () => {
  const mount = (kind: string, point: string) => `31 23 0:28 / ${point} rw,relatime - ${kind} ${kind} rw`;
  const v1 = mount('cgroup', '/sys/fs/cgroup/memory');
  const v2 = mount('cgroup2', '/sys/fs/cgroup');

  it.each([
    ['none', ''],
    ['v1', v1],
    ['v2', v2],
    ['hybrid', `${v1}\n${v2}`],
  ])('are told to be %s', (version, mountinfo) => {
    expect(cgroupVersion(mountinfo)).toBe(version);
  });

  it('are made within our own of version 1, or beside it in version 2, and never outside of the tree', () => {
    expect(groupParents('memory', '4:memory:/a\n1:cpu,cpuacct:/b\n0::/\n')).toEqual([
      '/sys/fs/cgroup/memory/a',
      '/sys/fs/cgroup/memory',
      '/sys/fs/cgroup',
    ]);
    expect(groupParents('pids', '0::/user.slice/x.scope\n')).toContain('/sys/fs/cgroup/user.slice');
  });
});

describe('the file system of a path', () => {
  const table = [
    '27 1 254:0 / / rw - ext4 /dev/vda rw',
    '30 27 0:27 / /home rw - xfs /dev/b rw',
    '31 27 0:27 / /home rw shared:1 - btrfs /dev/c rw',
    '32 27 0:28 / /with\\040space rw - nfs4 a:/ rw',
  ].join('\n');

  it.each([
    ['/', 'ext4'],
    ['/homes/me', 'ext4'],
    ['/home/me', 'btrfs'],
    ['/with space/cache', 'nfs4'],
  ])('of %s is %s', (path, kind) => {
    expect(fileSystemIn(table, path)).toBe(kind);
  });

  it('is unknown without a table', () => {
    expect(fileSystemIn('', '/')).toBe('an unknown file system');
  });
});

describe('a proxy', () => {
  it('REG-20 is told without its user and password', () => {
    const { found, details } = probeProxy({ https_proxy: 'http://me:s3cret@proxy.example:3128', no_proxy: '.corp' });
    expect(found).toBe('http://proxy.example:3128, but not for .corp');
    expect(JSON.stringify(details)).not.toMatch(/me|s3cret/);
  });

  it('that cannot be used is told without quoting it', () => {
    const { state, found, fix } = probeProxy({ https_proxy: 'socks5://me:s3cret@proxy' });
    expect([state, fix]).toEqual(['warn', 'write it as http://HOST:PORT']);
    expect(found).not.toContain('s3cret');
  });
});

describe('/proc/PID/status', () => {
  it('has fields by name', () => {
    expect(statusFields('Name:\tcat\nSeccomp:\t2\n')).toMatchObject({ Name: 'cat', Seccomp: '2' });
  });
});
