import { lstatSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import type { TarEntry, TarType } from '../../src/archive/tar-entry.js';
import { writeTar } from '../../src/archive/tar-write.js';
import type { LayerTar } from '../../src/layers/unpack.js';
import { digestOf, parseDiffId } from '../../src/values/digest.js';
import { bytesOf } from './tar.js';

export type Part = readonly [TarEntry, Uint8Array?];

export function file(path: string, text = '', mode = 0o644): Part {
  const content = Buffer.from(text);
  return [{ path, type: 'file', mode, uid: 0, gid: 0, size: content.byteLength }, content];
}

export function directory(path: string, mode = 0o755): Part {
  return [{ path, type: 'directory', mode, uid: 0, gid: 0, size: 0 }];
}

export function symlink(path: string, linkName: string): Part {
  return [{ path, type: 'symlink', mode: 0o777, uid: 0, gid: 0, size: 0, linkName }];
}

export function link(path: string, linkName: string): Part {
  return [{ path, type: 'link', mode: 0o644, uid: 0, gid: 0, size: 0, linkName }];
}

export function special(path: string, type: TarType): Part {
  return [{ path, type, mode: 0o644, uid: 0, gid: 0, size: 0, devMajor: 1, devMinor: 3 }];
}

/** A layer with these entries, in this order, as our own encoder writes it. */
export async function layer(...parts: readonly Part[]): Promise<LayerTar> {
  return layerOf(await bytesOf(writeTar(parts)));
}

/** A layer whose tar these bytes are. */
export function layerOf(bytes: Buffer): LayerTar {
  return { diffId: parseDiffId(digestOf(bytes)), tar: () => chunks(bytes) };
}

async function* chunks(bytes: Buffer): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.byteLength; at += 1000) yield bytes.subarray(at, at + 1000);
}

/** What is in a directory: `a/` for a directory, `a -> target` for a link, `a=text` for a file. Sorted. */
export function listing(root: string, at = ''): string[] {
  return readdirSync(join(root, at))
    .sort()
    .flatMap((name) => {
      const path = at === '' ? name : `${at}/${name}`;
      const stat = lstatSync(join(root, path));
      if (stat.isSymbolicLink()) return [`${path} -> ${readlinkSync(join(root, path))}`];
      if (stat.isDirectory()) return [`${path}/`, ...listing(root, path)];
      return [`${path}=${stat.isFile() ? readFileSync(join(root, path), 'utf8') : 'special'}`];
    });
}
