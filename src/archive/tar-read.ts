import type { Extract } from 'tar-stream';
import { fail, PackBuildError } from '../values/error.js';
import type { ReadEntry, TarEntry, TarType } from './tar-entry.js';
import { cleanPath } from './tar-path.js';

/**
 * Reads an uncompressed tar, entry by entry, with pax and GNU extensions applied. Reads the source to its end, also past
 * the end mark. Throws `ARCHIVE_INVALID` for what is not a tar, is cut off, or has names that leave the root; an error
 * of the source is thrown as it is.
 */
export async function* readTar(bytes: AsyncIterable<Uint8Array>): AsyncGenerator<ReadEntry> {
  const { extract } = await import('tar-stream');
  const parser = extract(NAMES_AS_BYTES);
  parser.on('error', () => {});
  const source = feed(parser, bytes);
  try {
    yield* entriesOf(parser, source);
    await source.done;
  } catch (error) {
    throw source.explain(error);
  } finally {
    parser.destroy();
  }
}

async function* entriesOf(parser: Extract, source: Source): AsyncGenerator<ReadEntry> {
  for await (const stream of parser) {
    const header = stream.header as unknown as Header;
    const empty = header.size === 0 || header.type === 'directory';
    const content = empty ? undefined : (stream[Symbol.asyncIterator]() as AsyncIterator<Uint8Array>);
    const rest = () => untilEnd(content, source);
    yield { entry: entryOf(header), mtime: timeOf(header), offset: header.byteOffset, content: rest() };
    for await (const _ of rest());
  }
}

/** The rest of a content. Leaving it early does not end the archive, as leaving the stream itself would. */
async function* untilEnd(content: AsyncIterator<Uint8Array> | undefined, source: Source): AsyncGenerator<Uint8Array> {
  if (content === undefined) return;
  try {
    for (let next = await content.next(); !next.done; next = await content.next()) yield next.value;
  } catch (error) {
    throw source.explain(error);
  }
}

interface Source {
  /** When all bytes were given to the parser, or it wants no more. Never rejects. */
  readonly done: Promise<void>;
  /** What to throw for an error of the parser: the source's own error, where that was the cause. */
  explain(error: unknown): unknown;
}

/** Writes the source into the parser, no faster than it takes it. An error of the source ends both. */
function feed(parser: Extract, bytes: AsyncIterable<Uint8Array>): Source {
  let failure: { readonly error: unknown } | undefined;
  const done = writeAll(parser, bytes).catch((error: unknown) => {
    failure = { error };
    parser.destroy(error instanceof Error ? error : new Error(String(error)));
  });
  return {
    done,
    explain(error) {
      if (failure !== undefined) return failure.error;
      return error instanceof PackBuildError ? error : invalid(messageOf(error), error);
    },
  };
}

async function writeAll(parser: Extract, bytes: AsyncIterable<Uint8Array>): Promise<void> {
  let closed = false;
  let wake = () => {};
  parser.on('drain', () => wake());
  parser.on('close', () => {
    closed = true;
    wake();
  });
  let length = 0;
  for await (const chunk of bytes) {
    length += chunk.byteLength;
    const drained = new Promise<void>((resolve) => {
      wake = resolve;
    });
    if (!closed && !parser.write(chunk)) await drained;
    if (closed) return;
  }
  if (length === 0) throw invalid('it is empty');
  parser.end(null);
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** The parser knows more than its types say: one character of a name is one byte. */
const NAMES_AS_BYTES = { filenameEncoding: 'latin1' } as object;

/** What the parser gives, also where its types know nothing of it. */
interface Header {
  readonly name: string;
  readonly type: string | null;
  readonly mode: number | null;
  readonly uid: number | null;
  readonly gid: number | null;
  readonly size: number;
  readonly mtime: Date;
  readonly linkname: string | null;
  readonly devmajor: number | null;
  readonly devminor: number | null;
  readonly pax: Readonly<Record<string, string>> | null;
  readonly byteOffset: number;
}

const TYPES: Readonly<Record<string, TarType>> = {
  file: 'file',
  'contiguous-file': 'file',
  link: 'link',
  symlink: 'symlink',
  'character-device': 'character-device',
  'block-device': 'block-device',
  directory: 'directory',
  fifo: 'fifo',
};

function entryOf(header: Header): TarEntry {
  const pax = header.pax ?? {};
  const name = textOf(header.name, pax['path']);
  const type = TYPES[header.type ?? ''];
  if (type === undefined || Object.keys(pax).some((key) => key.startsWith('GNU.sparse'))) {
    throw invalid(`\`${name.slice(0, 200)}\` is of a type that cannot be unpacked`);
  }
  return {
    path: cleanPath(name),
    type,
    mode: numberOf(undefined, header.mode) & 0o7777,
    uid: numberOf(pax['uid'], header.uid),
    gid: numberOf(pax['gid'], header.gid),
    size: type === 'file' ? header.size : 0,
    linkName:
      type === 'link' || type === 'symlink' ? linkOf(type, textOf(header.linkname ?? '', pax['linkpath'])) : undefined,
    ...(type === 'character-device' || type === 'block-device'
      ? { devMajor: header.devmajor ?? 0, devMinor: header.devminor ?? 0 }
      : {}),
  };
}

function linkOf(type: TarType, target: string): string {
  if (target === '' || target.includes('\0')) throw invalid('a link has no target');
  return type === 'link' ? cleanPath(target) : target;
}

/** Names come as bytes (one character each) unless a pax record gave them as UTF-8; both must be UTF-8. */
function textOf(bytes: string, pax: string | undefined): string {
  if (pax) {
    if (pax.includes('\ufffd')) throw invalid(`the name ${JSON.stringify(pax.slice(0, 200))} is not UTF-8`);
    return pax;
  }
  try {
    return utf8.decode(Buffer.from(bytes, 'latin1'));
  } catch (cause) {
    throw invalid(`the name ${JSON.stringify(bytes.slice(0, 200))} is not UTF-8`, cause);
  }
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

function numberOf(pax: string | undefined, plain: number | null): number {
  const value = pax === undefined ? (plain ?? 0) : Number(pax);
  if (!Number.isSafeInteger(value) || value < 0)
    throw invalid(`an entry has the owner ${JSON.stringify(pax ?? plain)}`);
  return value;
}

function timeOf(header: Header): number {
  const pax = Number.parseFloat(header.pax?.['mtime'] ?? '');
  const value = Number.isFinite(pax) ? pax : header.mtime.getTime() / 1000;
  return Number.isFinite(value) ? value : 0;
}

function invalid(why: string, cause?: unknown): PackBuildError {
  return fail('ARCHIVE_INVALID', { what: 'a tar archive cannot be read', why, cause });
}
