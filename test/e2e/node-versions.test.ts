import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from '@jest/globals';
import { useCli } from '../support/command-line.js';
import { buildpack, writeFiles } from '../support/product.js';

const cli = useCli();

/** Text that compresses well, and in more than one block. */
const TEXT = Array.from({ length: 20_000 }, (_, at) => `line ${at} ${(at * 7919) % 104_729}`).join('\n');

async function build(node: string): Promise<string> {
  const app = await cli.directory({ 'big.txt': TEXT, 'lib/small.js': '1;\n', Procfile: 'web: cat big.txt\n' });
  const bp = join(await cli.directory(), 'sorts');
  await writeFiles(bp, buildpack({ compile: 'mkdir "$1/vendor" && sort "$1/big.txt" > "$1/vendor/sorted"' }));
  const args = ['build', app, '--base', cli.base(), '--buildpack', bp, '--to', `oci:${app}-image:v1`];
  const home = await cli.directory();
  const built = await cli.run([...args, '--cache-dir', home], { node: [node, '--'], env: { HOME: home } });
  return built.status === 0 ? (built.stdout.trim().split('@')[1] ?? '') : built.stderr;
}

describe('pack-build', () => {
  it('makes one image, bit for bit, on every version of Node that it supports', async () => {
    const here = await build(process.execPath);
    expect(here).toMatch(/^sha256:/);
    for (const version of ['22', '24', '26']) {
      const { stdout } = await promisify(execFile)('bash', ['scripts/node.sh', version]);
      expect({ version, digest: await build(stdout.trim()) }).toEqual({ version, digest: here });
    }
  }, 300_000);
});
