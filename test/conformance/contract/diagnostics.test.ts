import { readFile } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import { describe, expect, it } from '@jest/globals';
import { exitStatusOf } from '../../../src/cli/exit-status.js';
import { buildpack, fixture, useProduct } from '../../support/product.js';

const { build, fail, run } = useProduct();

describe('what goes wrong', () => {
  it('R120 names the buildpack, the phase, the status and the last lines', async () => {
    const { error } = await fail({ buildpacks: ['compile-fails-loudly'] });
    expect(error.message).toBe(`${fixture('compile-fails-loudly')} stopped the build in bin/compile (exit 3)`);
    expect(error.why).toContain(' !     Two different lockfiles found: package-lock.json and yarn.lock');
  });

  it.each([
    ['detects-never', 20],
    ['compile-fails-loudly', 30],
    ['release-exit1', 40],
    ['compile-crashes', 30],
  ])('R120 ends with a status for the phase: %s', async (name, tens) => {
    const status = exitStatusOf((await fail({ buildpacks: [name] })).error);
    expect(Math.floor(status / 10) * 10).toBe(tens);
  });

  it('R120 tells a timeout and a trouble of the platform from a failed compile', async () => {
    const timeout = await fail({ buildpacks: ['compile-hangs'], request: { compileTimeoutMs: 200 } });
    const failed = await fail({ buildpacks: ['compile-fails-loudly'] });
    const platform = await fail({ buildpacks: ['detects-always'], env: { PATH: '/nowhere' } });
    const statuses = [timeout, failed, platform].map(({ error }) => exitStatusOf(error));
    expect([timeout, failed, platform].map(({ error }) => error.code)).toEqual([
      'COMPILE_TIMEOUT',
      'COMPILE_FAILED',
      'SANDBOX_MISSING',
    ]);
    expect(new Set(statuses).size).toBe(3);
  });

  it('R120 keeps only the last of a long output, and drops what was overwritten', async () => {
    const { error } = await fail({ buildpacks: ['compile-chatty'] });
    expect(error.why).toContain('  red no newline'.trim());
    expect(error.why).not.toContain('progress 1%\r');
    expect(error.why?.split('\n').length).toBeLessThan(30);
  });

  it('R121 warns of an empty BUILD_DIR', async () => {
    const { notices } = await build({ buildpacks: [buildpack({ compile: 'rm -r "$1"/*' })] });
    expect(notices.map(({ code }) => code)).toContain('BUILD_EMPTY');
  });

  it('R121 warns of a web command whose program is not there', async () => {
    const { notices } = await build({
      files: { Procfile: 'web: bin/none --port $PORT\n' },
      buildpacks: ['detects-always'],
    });
    expect(notices).toContainEqual(
      expect.objectContaining({ code: 'WEB_COMMAND_MISSING', message: expect.stringContaining('bin/none') }),
    );
  });

  it('R121 S31 warns of programs that need libraries which the base lacks', async () => {
    const bytes = Buffer.from(await readFile('/usr/bin/env'));
    const at = bytes.indexOf('libc.so.6');
    bytes.write('libq.so.6', at);
    const { notices } = await build({
      files: { 'bin/x': { text: bytes, mode: 0o755 } },
      buildpacks: ['detects-always'],
    });
    expect(notices.map(({ message }) => message).join('\n')).toContain('libq.so.6');
  });

  it('R122 shows what a buildpack prints as it is, as Heroku does', async () => {
    const prints = buildpack({ compile: 'cat "$3/TOKEN"' });
    const { output } = await build({ buildpacks: [prints], configVars: { TOKEN: 'printed by the buildpack' } });
    expect(output).toBe('printed by the buildpack');
  });

  it('R122 takes the values of config vars out of what a buildpack prints, when asked to', async () => {
    const prints = buildpack({
      detect: 'echo "app of secret-value"; echo "looking for secret-value" >&2',
      compile: 'printf "a secret-"; sleep 0.1; printf "value, "; printf "secret-value on stderr" >&2; cat "$3/SHORT"',
      release: 'echo "addons: [secret-value]"; echo "released secret-value" >&2',
      report: 'echo "token: secret-value"',
    });
    const configVars = { TOKEN: 'secret-value\n', SHORT: '1234567' };
    const { output, lines, result, events } = await build({
      buildpacks: [prints],
      configVars,
      request: { redact: true },
    });
    expect(output).toBe('looking for <redacted>\na <redacted>, <redacted> on stderr1234567released <redacted>\n');
    expect(lines).toContain('-----> app of <redacted> app detected');
    expect(Object.values(result.reports)).toEqual([{ token: '<redacted>' }]);
    expect(result.app.labels['dev.pack-build.addons']).toBe('["secret-value"]');
    expect(JSON.stringify([events, lines, result.app.buildpacks])).not.toContain('secret-value');
  });

  it.each([
    ['DETECT_REFUSED', { detect: 'echo "no secret-value here" >&2; exit 1' }],
    ['COMPILE_FAILED', { compile: 'printf "no secret-"; sleep 0.1; printf "value here"; exit 1' }],
    ['RELEASE_FAILED', { release: 'echo "no secret-value here" >&2; exit 1' }],
    ['RELEASE_MALFORMED', { release: 'echo "default_process_types: {web: [secret-value]}"' }],
    ['EXPORT_INVALID', { compile: 'echo "echo no secret-value here; exit 1" > "$(dirname "$0")/../export"' }],
  ])('R122 takes them out of what %s quotes too', async (code, scripts) => {
    const { error } = await fail({
      buildpacks: [buildpack(scripts), 'detects-always'],
      configVars: { TOKEN: 'secret-value' },
      request: { redact: true },
    });
    expect(error.code).toBe(code);
    expect([error.message, error.why, error.fix].join()).not.toContain('secret-value');
    if (code !== 'RELEASE_MALFORMED') expect(error.why).toContain('no <redacted> here');
  });

  it('R124 gives no network unless it is asked for, and says so when a compile fails without one', async () => {
    const server = createServer((socket) => socket.end('hello\n')).listen(0, '127.0.0.1');
    await new Promise((resolve) => server.once('listening', resolve));
    const { port } = server.address() as AddressInfo;
    const asks = { ...buildpack({}), 'bin/compile': `#!/bin/bash\ncat < /dev/tcp/127.0.0.1/${port} > "$1/heard"\n` };
    const { error } = await fail({ buildpacks: [asks], request: { network: 'none' } });
    const { text } = await build({ buildpacks: [asks], request: { network: 'host' } });
    server.close();
    expect(text('app/heard')).toBe('hello\n');
    expect(error.code).toBe('COMPILE_FAILED');
    expect(error.why).toMatch(/^the buildpack tried to reach 127\.0\.0\.1, and could not$/m);
    expect(error.fix).toContain('without a network');
  });

  it.each([
    ['DETECT_REFUSED', 'detect'],
    ['COMPILE_FAILED', 'compile'],
    ['RELEASE_FAILED', 'release'],
  ])('R124 names in %s the host that a script could not reach, also with a network', async (code, script) => {
    const asks = buildpack({ [script]: 'echo "curl: (6) Could not resolve host: mirror.example" >&2; exit 6' });
    const { error } = await fail({ buildpacks: [asks], request: { network: 'host' } });
    expect(error.code).toBe(code);
    expect(error.why).toContain('the buildpack tried to reach mirror.example, and could not');
    if (code !== 'COMPILE_FAILED') return;
    expect(error.fix).toContain('see whether this machine reaches that host');
    expect(error.details).toMatchObject({ hosts: ['mirror.example'] });
  });

  it('R8 names the Windows line endings of a file that a failed script has read', async () => {
    const reads = buildpack(
      { compile: '. ./lib.sh; install' },
      { 'lib.sh': 'set -e\r\ninstall() {\r\n  false\r\n}\r\n' },
    );
    const { error } = await fail({ buildpacks: [reads] });
    expect(error.code).toBe('COMPILE_FAILED');
    expect(error.why).toContain(
      "a file that it reads has Windows line endings, which sed -i 's/\\r$//' FILE takes away",
    );
    expect(error.why).toContain('lib.sh');
  });

  it('R125 shows name resolution and certificates of the host to scripts, and captures neither', async () => {
    const script =
      'cat /etc/hosts /etc/resolv.conf > "$1/seen"; test -s /etc/ssl/certs/ca-certificates.crt && echo ca >> "$1/seen"';
    const { text, paths, place } = await build({ buildpacks: [buildpack({ compile: script })] });
    expect(text('app/seen')).toContain(await readFile('/etc/hosts', 'utf8'));
    expect(text('app/seen')).toMatch(/ca\n$/);
    expect(paths.filter((path) => path.startsWith('etc'))).toEqual([]);
    expect((await run(place, { args: ['true'] })).code).toBe(0);
  });
});
