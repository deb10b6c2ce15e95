import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fail, systemCode } from '../values/error.js';

/** What there is for one host, as PEM. */
export interface HostCertificates {
  /** Authorities that are trusted for this host alone. */
  readonly authorities: readonly string[];
  /** Who we are to it. */
  readonly clients: readonly { readonly cert: string; readonly key: string }[];
}

const NOTHING: HostCertificates = { authorities: [], clients: [] };

/**
 * Reads what lies in `DIRECTORY/NAME` for a host that goes by these names, in the first that is there: `*.crt` are
 * authorities, `NAME.cert` with `NAME.key` is a certificate of ours. Directories that we may not look into are passed over,
 * and so is what would lead out of them. Throws `CONFIG_INVALID`.
 */
export async function hostCertificates(
  names: readonly string[],
  directories: readonly string[],
): Promise<HostCertificates> {
  const safe = names.filter((name) => name !== '.' && name !== '..');
  for (const path of directories.flatMap((directory) => safe.map((name) => join(directory, name)))) {
    const names = await list(path);
    if (names !== undefined) return readAll(path, names);
  }
  return NOTHING;
}

async function list(path: string): Promise<readonly string[] | undefined> {
  return readdir(path).then(
    (names) => names.sort(),
    (error: unknown) => {
      if (['ENOENT', 'ENOTDIR', 'EACCES'].includes(systemCode(error) ?? '')) return undefined;
      throw error;
    },
  );
}

async function readAll(path: string, names: readonly string[]): Promise<HostCertificates> {
  const ending = (end: string) => names.filter((name) => name.endsWith(end)).map((name) => name.slice(0, -end.length));
  const [certs, keys] = [ending('.cert'), ending('.key')];
  const alone = certs.find((name) => !keys.includes(name)) ?? keys.find((name) => !certs.includes(name));
  if (alone !== undefined) {
    const [has, lacks] = certs.includes(alone) ? ['cert', 'key'] : ['key', 'cert'];
    throw fail('CONFIG_INVALID', {
      what: `${join(path, `${alone}.${has}`)} has no ${alone}.${lacks} beside it`,
      why: 'who we are is said by a certificate and its key; an authority has a name that ends with .crt',
    });
  }
  const read = (name: string) => readText(join(path, name));
  return {
    authorities: await Promise.all(ending('.crt').map((name) => read(`${name}.crt`))),
    clients: await Promise.all(
      certs.map(async (name) => ({ cert: await read(`${name}.cert`), key: await read(`${name}.key`) })),
    ),
  };
}

async function readText(file: string): Promise<string> {
  return readFile(file, 'utf8').catch((error: unknown) => {
    throw fail('CONFIG_INVALID', {
      what: `${file} cannot be read`,
      why: `the system says ${systemCode(error) ?? String(error)}`,
      fix: 'let whoever runs pack-build read it',
    });
  });
}
