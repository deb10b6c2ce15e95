import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { runProcess } from '../system/process.js';
import { withTempDir } from '../system/tempdir.js';
import { findProgram } from '../system/tools.js';
import { fail } from '../values/error.js';

/**
 * Decompresses with the `zstd` program, for a Node without zstd of its own (before 22.15). The result goes through a
 * temporary file, so that its reader may be slow. Throws `TOOL_MISSING`, `ARCHIVE_INVALID`, and what the source throws.
 */
export async function* zstdProgram(bytes: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const program = await findProgram('zstd', undefined);
  if (program === undefined) {
    throw fail('TOOL_MISSING', {
      what: 'the data is compressed with zstd, which this Node cannot read',
      fix: 'apt-get install zstd, or use Node 22.15 or later',
      details: { program: 'zstd' },
    });
  }
  const handle = await withTempDir('zstd', undefined, async (directory) => {
    const file = join(directory, 'data');
    await decompressTo(file, program, bytes);
    return await open(file);
  });
  // Its directory is gone; the bytes stay until the handle is closed, which the stream does.
  yield* handle.createReadStream({ highWaterMark: 1024 * 1024 });
}

async function decompressTo(file: string, program: string, bytes: AsyncIterable<Uint8Array>): Promise<void> {
  let failure: { readonly error: unknown } | undefined;
  async function* watched(): AsyncGenerator<Uint8Array> {
    try {
      yield* bytes;
    } catch (error) {
      failure = { error };
    }
  }
  const args = ['--quiet', '--decompress', '-o', file];
  const { code, lastLines } = await runProcess({ file: program, args, env: { LC_ALL: 'C' }, stdin: watched() });
  if (failure !== undefined) throw failure.error;
  if (code === 0) return;
  throw fail('ARCHIVE_INVALID', {
    what: 'compressed data cannot be read',
    why: ['zstd says:', ...lastLines].join('\n'),
  });
}
