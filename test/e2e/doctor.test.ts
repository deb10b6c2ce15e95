import { chmod, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from '@jest/globals';
import { findProgram } from '../../src/system/tools.js';
import { useCli } from '../support/command-line.js';
import { serveRegistry, type TestRegistry } from '../support/registry.js';

const cli = useCli();
const servers: TestRegistry[] = [];
afterEach(async () => void (await Promise.all(servers.splice(0).map((server) => server.close()))));

/** A PATH with these programs and no others; `undefined` stands for the machine's own. */
async function pathWith(programs: Readonly<Record<string, string | undefined>>): Promise<string> {
  const directory = await cli.directory();
  for (const [name, script] of Object.entries(programs)) {
    const file = join(directory, name);
    if (script === undefined) await symlink((await findProgram(name, process.env['PATH'])) ?? '', file);
    else await writeFile(file, `#!/bin/sh\n${script}\n`).then(() => chmod(file, 0o755));
  }
  return directory;
}

/** The lines but for those that only a certain machine prints, and the number of what runs the tests. */
function table(stdout: string): readonly string[] {
  const ofMachine = /^(ok|warn|no) +(cgroups|cache|authorities) /;
  const lines = cli.plain(stdout).trimEnd().split('\n');
  return lines
    .filter((line, at) => !ofMachine.test(line) && !(/^ +fix: /.test(line) && ofMachine.test(lines[at - 1] ?? '')))
    .map((line) => line.replace(process.version, 'vNODE'));
}

const BWRAP = 'case "$*" in --version) echo bubblewrap 0.8.0 ;;';
const OTHERS = {
  bash: undefined,
  mkfifo: undefined,
  mmdebstrap: 'echo mmdebstrap 1.3.5',
  git: 'echo git version 2.39.5',
  slirp4netns: 'echo slirp4netns 1.2',
  podman: 'echo podman version 5.4.0',
  runc: 'echo runc version 1.3.2',
};

describe('pack-build doctor', () => {
  it('SBX-15 tells what is missing on a machine without any program, and what to install', async () => {
    const { status, stdout, stderr } = await cli.run(['doctor'], { env: { PATH: await pathWith({}) } });
    expect({ status, stderr }).toEqual({ status: 80, stderr: '' });
    expect(table(stdout)).toEqual([
      'ok    node                vNODE',
      'warn  user namespaces     not tried: there is neither bwrap nor unshare on PATH',
      '                          fix: apt-get install bubblewrap',
      'no    bubblewrap          bubblewrap, which makes the sandbox, is not installed: there is no bwrap on PATH',
      '                          fix: apt-get install bubblewrap; or use --sandbox host if you trust the app and its buildpacks',
      'warn  seccomp             the kernel has it; not tried, for there is no bwrap on PATH',
      '                          fix: apt-get install bubblewrap',
      'warn  mmdebstrap          the program mmdebstrap is not installed: there is no executable file of this name in any directory of PATH; bases are to be named, or come from a registry',
      '                          fix: apt-get install mmdebstrap',
      'warn  git                 none that can be started: buildpacks by the address of a repository cannot be fetched',
      '                          fix: apt-get install git',
      "warn  network             no slirp4netns: buildpacks have this machine's own network, or none",
      '                          fix: apt-get install slirp4netns iproute2',
      'ok    podman              none, and none is needed',
      'ok    runc                none, and none is needed',
      'ok    proxy               none',
      'ok    registry docker.io  no credentials',
      '',
      'what stands in the way: bubblewrap',
    ]);
  });

  it('SBX-15 tells of a kernel that allows no user namespace, in the words of bwrap', async () => {
    const refuses = `${BWRAP} *) echo 'bwrap: No permissions to create new namespace' >&2; exit 1 ;; esac`;
    const { status, stdout } = await cli.run(['doctor'], {
      env: { PATH: await pathWith({ ...OTHERS, bwrap: refuses }), https_proxy: 'http://me:s3cret@proxy.example:3128' },
    });
    expect(status).toBe(80);
    const container =
      'fix: inside a container, start that container with --security-opt seccomp=unconfined; or use --sandbox host if you trust the app and its buildpacks';
    expect(table(stdout)).toEqual([
      'ok    node                vNODE',
      'no    user namespaces     none can be made, though no sysctl forbids it: bwrap: No permissions to create new namespace',
      `                          ${container}`,
      'no    bubblewrap          bubblewrap could not make the sandbox for /usr/bin/cat: No permissions to create new namespace',
      `                          ${container.replace('fix: inside', 'fix: allow user namespaces for this user: inside').replace('start that container', 'start it')}`,
      'warn  seccomp             bwrap cannot put a filter of system calls on a program: bwrap: No permissions to create new namespace',
      '                          fix: apt-get install bubblewrap, and use a kernel with CONFIG_SECCOMP_FILTER',
      'ok    mmdebstrap          mmdebstrap 1.3.5',
      'ok    git                 git version 2.39.5',
      'ok    network             slirp4netns 1.2',
      'ok    podman              podman version 5.4.0',
      'warn  runc                runc version 1.3.2 has known holes, unless your distribution has repaired them',
      '                          fix: use runc 1.3.3 or newer; the bubblewrap sandbox does without it',
      'ok    proxy               http://proxy.example:3128',
      'ok    registry docker.io  no credentials',
      '',
      'what stands in the way: user namespaces, bubblewrap',
    ]);
  });

  it('SBX-15 tells of a bwrap that is too old, or gives rights away', async () => {
    const of = async (bwrap: string) => {
      const path = await pathWith({ ...OTHERS, bwrap });
      const { status, stdout } = await cli.run(['doctor'], { env: { PATH: path } });
      return [status, table(stdout).find((line) => / bubblewrap /.test(line)), stdout.replaceAll(path, 'PATH')];
    };
    const [status, , old] = await of('echo bubblewrap 0.4.1');
    expect(status).toBe(80);
    expect(old).toMatch(
      /^no {4}bubblewrap +PATH\/bwrap is too old: found bubblewrap 0\.4\.1, needed 0\.8\.0 or newer$/m,
    );
    const [, loose] = await of(`${BWRAP} *) echo '{"child-pid":1}{"exit-code":0}' >&4; cat /proc/self/status ;; esac`);
    expect(loose).toMatch(/^no +bubblewrap +bubblewrap 0\.8\.0, whose sandboxes keep rights that they should not$/);
  });

  it('SBX-15 gives the same as JSON', async () => {
    const { status, stdout } = await cli.run(['doctor', '--json']);
    const { type, ok, code, checks } = JSON.parse(stdout);
    expect({ status, type, ok, code }).toEqual({ status: 0, type: 'result', ok: true, code: null });
    for (const check of checks) {
      expect(['ok', 'warn', 'no']).toContain(check.state);
      expect([check.name, 'fix' in check]).toEqual([check.name, check.state !== 'ok']);
    }
  });

  it('ends as a build would where the cache cannot be written to, and makes no cache', async () => {
    const directory = await cli.directory({ file: '' });
    const broken = await cli.run(['doctor', '--cache-dir', join(directory, 'file/cache')]);
    expect(broken.status).toBe(50);
    expect(cli.plain(broken.stdout)).toContain(`${cli.plain(directory)}/file/cache cannot be written to (ENOTDIR)`);
    expect(broken.stdout).toMatch(/\nwhat stands in the way: cache\n$/);
    expect((await cli.run(['doctor', '--cache-dir', join(directory, 'new/cache')])).status).toBe(0);
    expect(await cli.treeOf(directory)).toHaveLength(1);
  });
});

describe('a user without a name, as in many containers', () => {
  it('SBX-15 is told what the machine can do for it', async () => {
    const directory = await cli.directory();
    await chmod(cli.home(), 0o755);
    await chmod(directory, 0o777);
    const uid = 54321;
    const node = ['setpriv', `--reuid=${uid}`, `--regid=${uid}`, '--clear-groups', process.execPath, '--'];
    const env = { HOME: directory, TMPDIR: directory };
    const { stdout, stderr } = await cli.run(['doctor', '--cache-dir', directory], { node, env });
    expect(stderr).toBe('');
    expect(stdout).toMatch(/^ok +bubblewrap +/m);
    expect(stdout).toMatch(/^warn +mmdebstrap +.*, but uid 54321 has no users of its own to make a base with$/m);
  });
});

describe('programs that cannot be started', () => {
  it('SBX-15 are told of like others', async () => {
    const directory = await cli.directory();
    for (const name of ['bwrap', 'git', 'podman', 'mmdebstrap']) {
      await writeFile(join(directory, name), '\x7fELF of another machine');
      await chmod(join(directory, name), 0o755);
    }
    const { status, stdout } = await cli.run(['doctor'], { env: { PATH: directory } });
    expect(status).toBe(80);
    const states = stdout.split('\n').map((line) => /^(\w+) +(bubblewrap|git|podman|mmdebstrap|seccomp) /.exec(line));
    expect(states.flatMap((match) => (match === null ? [] : [`${match[2]}: ${match[1]}`]))).toEqual([
      'bubblewrap: no',
      'seccomp: warn',
      'mmdebstrap: warn',
      'git: warn',
      'podman: ok',
    ]);
  });
});

describe('a cache on a file system that is mounted noexec', () => {
  it('SBX-15 stands in the way: scripts could not be started', async () => {
    const directory = await cli.directory();
    const mounted = `mount -t tmpfs -o noexec tmpfs '${directory}' && exec "$@"`;
    const node = ['unshare', '--user', '--map-root-user', '--mount', 'sh', '-c', mounted, 'sh', process.execPath, '--'];
    const { stdout, status } = await cli.run(['doctor', '--cache-dir', directory], { node });
    expect(stdout).toMatch(/^no +cache +.*: tmpfs, .*, but mounted noexec: no script could be started$/m);
    expect(status).not.toBe(0);
  });
});

describe('pack-build doctor REGISTRY', () => {
  const secret = 's3cret-canary';
  const auth = Buffer.from(`me:${secret}`).toString('base64');

  it('REG-20 asks it once, as whom the file says, and prints no secret', async () => {
    const server = await serveRegistry({
      challenge: (authorization) => (authorization === `Basic ${auth}` ? undefined : 'Basic realm="here"'),
    });
    servers.push(server);
    const config = await cli.directory({ 'config.json': JSON.stringify({ auths: { [server.host]: { auth } } }) });
    const asked = ['doctor', server.host, '--insecure-registry', server.host];
    const { status, stdout } = await cli.run(asked, { env: { DOCKER_CONFIG: config } });
    const place = `credentials: auths of ${config}/config.json`;
    expect(status).toBe(0);
    expect(stdout).toMatch(new RegExp(`^ok +registry ${server.host} +it answers, and lets us in; ${place}$`, 'm'));
    expect(server.seen.map(({ url, status: answered }) => [url, answered])).toEqual([
      ['/v2/', 401],
      ['/v2/', 200],
    ]);
    const nobody = await cli.run([...asked, '--json']);
    expect(nobody.status).toBe(60);
    expect(JSON.parse(nobody.stdout)).toMatchObject({ ok: false, code: 'REGISTRY_UNAUTHORIZED' });
    for (const text of [stdout, nobody.stdout]) expect(text).not.toMatch(new RegExp(`${secret}|${auth}`));
  });

  it('REG-20 tells for each registry which source answers, and starts no helper', async () => {
    const config = await cli.directory({
      'config.json': JSON.stringify({
        auths: { 'ghcr.io/acme': { auth }, 'https://index.docker.io/v1/': { auth } },
        credHelpers: { 'gcr.io': 'gcloud', 'ecr.example': 'ecr' },
      }),
    });
    const path = await pathWith({ 'docker-credential-gcloud': `touch ${config}/started` });
    const { stdout } = await cli.run(['doctor'], { env: { DOCKER_CONFIG: config, PATH: path } });
    const file = `${cli.plain(config)}/config.json`;
    expect(table(stdout).slice(-7, -2)).toEqual([
      `ok    registry docker.io     credentials: auths of ${file}`,
      `ok    registry gcr.io        credentials: credHelpers of ${file}, by docker-credential-gcloud`,
      `warn  registry ecr.example   credentials: credHelpers of ${file}, by docker-credential-ecr, which is not installed`,
      `                             fix: install docker-credential-ecr, or take it out of ${file} and log in again`,
      `ok    registry ghcr.io/acme  credentials: auths of ${file}`,
    ]);
    expect(stdout).not.toContain(auth);
    expect(await cli.treeOf(config)).toHaveLength(1);
  });

  it('tells of a file with credentials that cannot be read, which keeps no build from its work', async () => {
    const config = await cli.directory({ 'config.json': `{"auths": ${secret}` });
    const { status, stdout } = await cli.run(['doctor'], { env: { DOCKER_CONFIG: config } });
    expect(status).toBe(0);
    expect(stdout).toMatch(/^no +credentials +the file with credentials .* cannot be used: /m);
    expect(stdout).not.toContain(secret);
  });

  it('tells of one that is not there, with the status of its error', async () => {
    const { status, stdout } = await cli.run(['doctor', 'localhost:1']);
    expect(status).toBe(60);
    expect(stdout).toMatch(/^no +registry localhost:1 +the connection to localhost:1 failed: .*; no credentials$/m);
    expect(stdout).toMatch(/\nwhat stands in the way: registry localhost:1\n$/);
  });

  it('refuses what is not the name of a registry', async () => {
    const { status, stderr } = await cli.run(['doctor', 'ghcr.io/acme']);
    expect(status).toBe(2);
    expect(stderr).toBe(`error REFERENCE_INVALID: "ghcr.io/acme" does not name a registry
  why:  a host has a dot or a port, or is localhost
  fix:  write it as HOST[:PORT], such as ghcr.io
`);
  });
});
