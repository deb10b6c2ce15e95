import { execFileSync, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, renameSync } from 'node:fs';
import { resolve } from 'node:path';
import { extract } from 'tar-stream';
import type { TarEntry } from '../../src/archive/tar-entry.js';
import { tarParser } from '../../src/archive/tar-parse.js';
import type { TarProfile } from '../../src/archive/tar-profile.js';

/** An entry as a reader sees it: `type size name -> target`, and a hash of its content where the reader gives that. */
export interface Listed {
  readonly line: string;
  readonly hash?: string;
}

const lineOf = (type: string, size: number, name: string, link: string) =>
  `${type} ${size} ${clean(name)} -> ${type === 'link' ? clean(link) : link}`;
const clean = (name: string) =>
  name
    .split('/')
    .filter((part) => part !== '' && part !== '.')
    .join('/');
const EMPTY = createHash('sha256').digest('hex');

/** What the strict reader takes in. Throws what it throws. `chunk` is how many bytes it gets at a time. */
export function listStrictly(bytes: Uint8Array, profile: TarProfile, chunk = bytes.byteLength): Listed[] {
  const listed: Listed[] = [];
  let entry: TarEntry | undefined;
  let hash = createHash('sha256');
  const parser = tarParser(profile, {
    begin(head) {
      entry = head.entry;
      hash = createHash('sha256');
    },
    data: (part) => hash.update(part),
    end() {
      const { type, size, path, linkName = '' } = entry as TarEntry;
      listed.push({ line: lineOf(type, size, path, linkName), hash: hash.digest('hex') });
    },
  });
  for (let at = 0; at < bytes.byteLength; at += chunk) parser.push(bytes.subarray(at, at + chunk));
  parser.finish();
  return listed;
}

export async function listWithTarStream(bytes: Uint8Array): Promise<Listed[]> {
  const listed: Listed[] = [];
  const parser = extract();
  parser.end(Buffer.from(bytes));
  for await (const stream of parser) {
    const { name, type, size = 0, linkname } = stream.header;
    const hash = createHash('sha256');
    if (type === 'file') for await (const part of stream) hash.update(part as Uint8Array);
    else stream.resume();
    const link = type === 'link' || type === 'symlink' ? (linkname ?? '') : '';
    listed.push({ line: lineOf(type ?? '', type === 'file' ? size : 0, name, link), hash: hash.digest('hex') });
  }
  return listed;
}

const KINDS: Readonly<Record<string, string>> = {
  '-': 'file',
  h: 'link',
  l: 'symlink',
  c: 'character-device',
  b: 'block-device',
  d: 'directory',
  p: 'fifo',
};

/** GNU tar's listing, without hashes. Throws what it says on stderr. */
export function listWithGnuTar(file: string): Listed[] {
  const args = ['--list', '--verbose', '--numeric-owner', '--full-time', '--utc', '--absolute-names'];
  const env = { PATH: process.env['PATH'], LC_ALL: 'C' };
  const { stdout, stderr, status } = spawnSync('tar', [...args, '--quoting-style=c', '--file', file], { env });
  if (status !== 0) throw new Error(`GNU tar: ${stderr}`);
  return stdout
    .toString('latin1')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => {
      const [, kind = '', size = '', name = '', , link = ''] =
        /^(.)\S+ \S+ +(\S+) \S+ \S+ +("(?:[^"\\]|\\.)*")(?: (->|link to) ("(?:[^"\\]|\\.)*"))?$/.exec(line) ?? [line];
      return {
        line: lineOf(KINDS[kind] ?? line, size.includes(',') ? 0 : Number(size), unquoted(name), unquoted(link)),
      };
    });
}

const ESCAPES: Readonly<Record<string, string>> = { a: '\u0007', b: '\b', f: '\f', n: '\n', r: '\r', t: '\t', v: '\v' };

function unquoted(text: string): string {
  const bytes = text
    .slice(1, -1)
    .replace(/\\([0-7]{3}|.)/g, (_, at: string) =>
      at.length === 3 ? String.fromCharCode(Number.parseInt(at, 8)) : (ESCAPES[at] ?? at),
    );
  return Buffer.from(bytes, 'latin1').toString();
}

/** The listings of Go's archive/tar, or its errors. */
export function listWithGo(files: readonly string[]): (Listed[] | string)[] {
  if (files.length === 0) return [];
  const lines = execFileSync(goProgram(), files, { maxBuffer: 1 << 28 })
    .toString()
    .trim()
    .split('\n');
  return lines.map((line) => {
    const { entries, error } = JSON.parse(line) as {
      entries: [string, string, number, string, string][];
      error: string;
    };
    if (error !== '') return error;
    return entries.map(([name, type, size, link, hash]) => ({
      line: lineOf(type, type === 'file' ? size : 0, name, type === 'link' || type === 'symlink' ? link : ''),
      hash: type === 'file' ? hash : EMPTY,
    }));
  });
}

/** Compiled when it is not there. */
function goProgram(): string {
  const program = resolve('.pack-build/go-tar-1/list');
  if (existsSync(program)) return program;
  mkdirSync(resolve(program, '..'), { recursive: true });
  const go = existsSync('/usr/local/go/bin/go') ? '/usr/local/go/bin/go' : 'go';
  const staged = `${program}.${process.pid}`;
  execFileSync(go, ['build', '-o', staged, 'test/support/go-tar/main.go'], {
    env: { ...process.env, GOTOOLCHAIN: 'local', GOFLAGS: '', CGO_ENABLED: '0' },
  });
  renameSync(staged, program);
  return program;
}
