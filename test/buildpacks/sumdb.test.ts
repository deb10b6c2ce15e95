import { createHash, generateKeyPairSync, sign } from 'node:crypto';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { BUILDPACKS, type Files, type Outcome, run, withDirectory } from './support.js';

const { privateKey, publicKey } = generateKeyPairSync('ed25519');
const KEY = publicKey.export({ format: 'der', type: 'spki' }).subarray(-32).toString('hex');
const NAME = ['sum', 'golang', 'org'].join('.');

const LOOKUP = `
import sys
sys.path.insert(0, sys.argv[1])
import sumdb
sumdb.KEY = bytes.fromhex(sys.argv[2])
try:
    print(sumdb.lookup(sys.argv[3], "example.com/m", "v1.0.0"))
except sumdb.Unproven as error:
    print(error)
`;

const sha256 = (...parts: readonly Uint8Array[]): Buffer => createHash('sha256').update(Buffer.concat(parts)).digest();
const leaf = (record: string): Buffer => sha256(Buffer.of(0), Buffer.from(record));
const node = (left: Buffer, right: Buffer): Buffer => sha256(Buffer.of(1), left, right);

function rootOf(leaves: readonly Buffer[]): Buffer {
  if (leaves.length === 1) return leaves[0] as Buffer;
  let half = 1;
  while (half * 2 < leaves.length) half *= 2;
  return node(rootOf(leaves.slice(0, half)), rootOf(leaves.slice(half)));
}

const RECORD = 'example.com/m v1.0.0 h1:right=\nexample.com/m v1.0.0/go.mod h1:other=\n';

/** A checksum database of `size` records, of which the one at `id` is RECORD. */
function database(size: number, id: number): Record<string, string | Buffer> {
  const leaves = Array.from({ length: size }, (_, index) => leaf(index === id ? RECORD : `record ${index}\n`));
  const note = `go.sum database tree\n${size}\n${rootOf(leaves).toString('base64')}\n`;
  const signature = Buffer.concat([Buffer.from('033de0ae', 'hex'), sign(null, Buffer.from(note), privateKey)]);
  const files: Record<string, string | Buffer> = {
    'lookup/example.com/m@v1.0.0': `${id}\n${RECORD}\n${note}\n\u2014 ${NAME} ${signature.toString('base64')}\n`,
  };
  const full = Math.floor(size / 256);
  for (let tile = 0; tile <= full; tile++) {
    const part = leaves.slice(tile * 256, tile * 256 + 256);
    const name = `tile/8/0/${String(tile).padStart(3, '0')}`;
    files[part.length === 256 ? name : `${name}.p/${part.length}`] = Buffer.concat(part);
  }
  if (full > 0) {
    const tops = Array.from({ length: full }, (_, tile) => rootOf(leaves.slice(tile * 256, tile * 256 + 256)));
    files[`tile/8/1/000.p/${full}`] = Buffer.concat(tops);
  }
  return files;
}

const ask = (files: Record<string, string | Buffer>, key = KEY): Outcome =>
  withDirectory(files as Files, (directory) =>
    run(['python3', '-IB', '-c', LOOKUP, join(BUILDPACKS, 'go/lib'), key, `file://${directory}`]),
  );

const LOOKED_UP = 'lookup/example.com/m@v1.0.0';

describe('the checksum database client of go', () => {
  it.each([
    [1, 0],
    [7, 6],
    [255, 100],
    [256, 255],
    [700, 3],
    [700, 699],
  ])('proves in a log of %i records the one at %i', (size, id) => {
    expect(ask(database(size, id))).toEqual({ status: 0, stdout: 'h1:right=\n', stderr: '' });
  });

  it('refuses an answer that is not in the log', () => {
    const files = database(700, 3);
    const answer = String(files[LOOKED_UP]).replace('h1:right=', 'h1:wrong=');
    expect(ask({ ...files, [LOOKED_UP]: answer }).stdout).toContain('not part of its signed log');
  });

  it('refuses an answer beyond the end of the log', () => {
    const files = database(7, 6);
    const answer = String(files[LOOKED_UP]).replace(/^6/, '9');
    expect(ask({ ...files, [LOOKED_UP]: answer }).stdout).toContain('not part of its signed log');
  });

  it('refuses a log that somebody else signed', () => {
    const real = '8738ccdad75ad1ed1ee5ecbe1c9caf52c4476cfac5363c5f218b6d4d3003f6b8';
    expect(ask(database(7, 6), real).stdout).toContain('no valid signature');
  });

  it('refuses a changed signed text', () => {
    const files = database(7, 6);
    const answer = String(files[LOOKED_UP]).replace('tree\n7\n', 'tree\n8\n');
    expect(ask({ ...files, [LOOKED_UP]: answer }).stdout).toContain('no valid signature');
  });
});
