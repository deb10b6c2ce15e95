import { createReadStream } from 'node:fs';
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Download } from '../http/download.js';
import { admitsIntegrity, integrityFileName, integrityOf, integrityTally } from '../system/integrity.js';
import { writeStagedAs } from '../system/staged.js';
import { fail, isFailure } from '../values/error.js';
import { fetchTarball, type TarballOptions } from './fetch-tarball.js';
import type { Notice } from './notice.js';
import { BUNDLED } from './reference.js';
import { requirePinned } from './require-pinned.js';

/** Of a compressed tarball. */
const MAX_BYTES = 256 * 1024 * 1024;

export interface WebSource {
  /** For messages, without credentials. */
  readonly id: string;
  /** May have a user and a password in it. */
  readonly url: string;
}

export interface WebOptions extends TarballOptions {
  readonly download: Download;
  /** The host directory where tarballs are kept, by their integrity. */
  readonly tarballs: string;
  /** Told the name of a tarball there before it is looked for or appears. */
  readonly useTarball?: ((name: string) => Promise<void>) | undefined;
  /** From the lock: the integrity that the tarball must have. */
  readonly expected: string | undefined;
}

/**
 * Unpacks a tarball of a web server into a directory that does not exist yet, and returns its integrity (R2, R9). One that
 * the lock names is taken from where tarballs are kept, if it is there and whole; what comes from the server is held to the
 * lock before it is kept or unpacked. Throws `BUILDPACK_FETCH_FAILED`, `BUILDPACK_NOT_FOUND`, `BUILDPACK_INTEGRITY`,
 * `TOOL_MISSING`, `INTERRUPTED`.
 */
export async function fetchWeb(
  source: WebSource,
  into: string,
  options: WebOptions,
): Promise<{ readonly version: string; readonly notices: readonly Notice[] }> {
  const kept = await findKept(options);
  if (kept !== undefined) return { version: await fetchTarball(source.id, kept, into, options), notices: [] };
  const file = await downloadTarball(source, options);
  try {
    const version = await fetchTarball(source.id, file, into, options);
    return { version, notices: options.expected === undefined ? plainNotice(source) : [] };
  } catch (error) {
    await rm(file, { force: true });
    throw error;
  }
}

/** A kept tarball that is damaged is thrown away. */
async function findKept({ expected, tarballs, useTarball }: WebOptions): Promise<string | undefined> {
  const name = expected === undefined ? undefined : integrityFileName(expected);
  if (expected === undefined || name === undefined) return undefined;
  await useTarball?.(name);
  const file = join(tarballs, name);
  const found = await integrityOf(createReadStream(file)).catch(() => undefined);
  if (found !== undefined && admitsIntegrity(expected, found)) return file;
  await rm(file, { force: true, recursive: true });
  return undefined;
}

async function downloadTarball(source: WebSource, options: WebOptions): Promise<string> {
  const { expected, tarballs, timeoutMs, signal } = options;
  const { url, headers } = withoutUser(source.url);
  await mkdir(tarballs, { recursive: true });
  const keep = async (bytes: AsyncIterable<Uint8Array>): Promise<string> => {
    const seen = integrityTally();
    let name = '';
    async function* counted(): AsyncGenerator<Uint8Array> {
      for await (const chunk of bytes) {
        seen.add(chunk);
        yield chunk;
      }
      const found = seen.end();
      if (expected !== undefined) requirePinned(source.id, expected, found);
      name = integrityFileName(found) ?? '';
    }
    const nameOf = async () => {
      await options.useTarball?.(name);
      return name;
    };
    await writeStagedAs(tarballs, counted(), nameOf);
    return join(tarballs, name);
  };
  const request = { url, headers, most: MAX_BYTES, timeoutMs, signal };
  const { status, kept } = await options.download(request, keep).catch((error: unknown) => {
    throw explained(source, error);
  });
  if (kept !== undefined) return kept;
  throw refused(source, url.host, status);
}

/** What a URL says of who we are goes into a header, which no other host sees. */
function withoutUser(text: string): { readonly url: URL; readonly headers: Readonly<Record<string, string>> } {
  const url = new URL(text);
  const pair = `${decodeURIComponent(url.username)}:${decodeURIComponent(url.password)}`;
  url.username = '';
  url.password = '';
  return { url, headers: pair === ':' ? {} : { authorization: `Basic ${Buffer.from(pair).toString('base64')}` } };
}

function plainNotice({ id, url }: WebSource): readonly Notice[] {
  if (!/^http:/i.test(url)) return [];
  return [
    {
      code: 'BUILDPACK_PLAIN_HTTP',
      message: `buildpack ${id} came over plain HTTP, where anybody on the way can change it; pack-build.lock now names what came`,
    },
  ];
}

function explained({ id }: WebSource, error: unknown): unknown {
  if (!isFailure(error, 'REGISTRY_UNREACHABLE', 'REGISTRY_TIMEOUT', 'REGISTRY_ADDRESS', 'REGISTRY_INVALID'))
    return error;
  const { fix = '' } = error;
  const [, bundled] = /^heroku\/(.*)$/.exec(id) ?? [];
  const isBundled = (BUNDLED as readonly (string | undefined)[]).includes(bundled);
  return fail('BUILDPACK_FETCH_FAILED', {
    what: `buildpack ${id} could not be fetched`,
    why: [error.message, error.why].filter(Boolean).join('\n'),
    fix: /--(trust-host|ca-cert) /.test(fix)
      ? fix
      : `try again, or ${isBundled ? `use the bundled one: --buildpack ${bundled}` : 'download the tarball yourself and name the file'}`,
    details: { buildpack: id },
    cause: error,
  });
}

function refused({ id }: WebSource, host: string, status: number) {
  const evidence = { why: `${host} answered ${status}`, details: { buildpack: id, status } };
  // Stores that list nothing to strangers answer 403 for what is not there.
  if (status === 404 || status === 410 || status === 403)
    return fail('BUILDPACK_NOT_FOUND', {
      what: `there is no buildpack at ${id}`,
      fix: 'check the address, and whether it is open to all',
      ...evidence,
    });
  return fail('BUILDPACK_FETCH_FAILED', {
    what: `buildpack ${id} could not be fetched`,
    fix: 'download the tarball yourself and name the file',
    ...evidence,
  });
}
