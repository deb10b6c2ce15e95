import { execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePort } from './http.js';

/** Debian's docker-registry, as a process of ours. */
export interface DockerRegistry {
  /** Such as `127.0.0.1:4711`. */
  readonly host: string;
  readonly close: () => Promise<void>;
}

export interface DockerRegistryOptions {
  /** Who may do anything; without, everybody. */
  readonly user?: { readonly name: string; readonly password: string };
  /** A token server that it trusts. */
  readonly tokens?: {
    readonly realm: string;
    readonly service: string;
    readonly issuer: string;
    readonly certificate: string;
  };
}

/** Starts it on a free port with an empty store, and waits until it answers. */
export async function startDockerRegistry({ user, tokens }: DockerRegistryOptions = {}): Promise<DockerRegistry> {
  const directory = mkdtempSync(join(tmpdir(), 'pack-build-docker-registry-'));
  const host = `127.0.0.1:${await freePort()}`;
  const file = (name: string, text: string) => {
    writeFileSync(join(directory, name), text);
    return join(directory, name);
  };
  const auth = {
    ...(user === undefined ? {} : { htpasswd: { realm: 'test', path: file('htpasswd', passwordLine(user)) } }),
    ...(tokens === undefined
      ? {}
      : {
          token: {
            realm: tokens.realm,
            service: tokens.service,
            issuer: tokens.issuer,
            rootcertbundle: file('certificate.pem', tokens.certificate),
          },
        }),
  };
  const config = {
    version: '0.1',
    log: { level: 'error', accesslog: { disabled: true } },
    storage: { filesystem: { rootdirectory: join(directory, 'store') }, delete: { enabled: true } },
    http: { addr: host },
    ...(Object.keys(auth).length === 0 ? {} : { auth }),
  };
  // YAML reads JSON.
  const child = spawn('docker-registry', ['serve', file('config.yml', JSON.stringify(config))], {
    stdio: ['ignore', 'ignore', 'pipe'],
    env: { PATH: process.env['PATH'] ?? '', OTEL_TRACES_EXPORTER: 'none' },
  });
  let said = '';
  child.stderr.on('data', (chunk: Buffer) => {
    said += chunk.toString();
  });
  const ended = new Promise<void>((resolve) => child.once('close', () => resolve()));
  const close = async () => {
    child.kill('SIGKILL');
    await ended;
    rmSync(directory, { recursive: true, force: true });
  };
  for (const until = performance.now() + 30_000; ; await sleep(50)) {
    if (
      await fetch(`http://${host}/v2/`).then(
        () => true,
        () => false,
      )
    )
      return { host, close };
    if (performance.now() < until && child.exitCode === null) continue;
    await close();
    throw new Error(`docker-registry does not answer: ${said}`);
  }
}

/** A line of a file of passwords; the registry reads bcrypt only. */
function passwordLine({ name, password }: { readonly name: string; readonly password: string }): string {
  return execFileSync('htpasswd', ['-nbB', name, password], { encoding: 'utf8' }).trim();
}
