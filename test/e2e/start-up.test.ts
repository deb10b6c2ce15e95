import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { useCli } from '../support/command-line.js';

const cli = useCli();

/** The files that Node runs for a command line, as V8 tells them. */
async function filesOf(args: readonly string[], status = 0): Promise<readonly string[]> {
  const coverage = await cli.directory();
  const ran = await cli.run(args, { env: { NODE_V8_COVERAGE: coverage } });
  expect(ran.status).toBe(status);
  const [report = ''] = await readdir(coverage);
  const { result } = JSON.parse(await readFile(join(coverage, report), 'utf8')) as { result: { url: string }[] };
  return result.map(({ url }) => url).filter((url) => url.startsWith('file:'));
}

const ofPackages = (files: readonly string[]) => files.filter((url) => url.includes('node_modules'));
const ofOthers = (files: readonly string[]) => ofPackages(files).filter((url) => !url.includes('/commander/'));

describe('the command, before it does anything', () => {
  it.each(['--version', '--help', 'rebase --help', 'base --help', 'base create --help'])(
    'loads no package and next to nothing of its own for %s',
    async (line) => {
      const files = await filesOf(line.split(' '));
      expect(ofPackages(files)).toEqual([]);
      expect(files.length).toBeLessThan(8);
    },
  );

  it('prints the help that the parser would make', async () => {
    for (const line of ['', 'build', 'rebase', 'base', 'base create', 'cache prune']) {
      const words = line === '' ? [] : line.split(' ');
      const [kept, made] = [await cli.run([...words, '--help']), await cli.run([...words, '--help', '--help'])];
      expect(kept.stdout).toBe(made.stdout);
      expect([kept.status, kept.stderr]).toEqual([0, '']);
      expect(kept.stdout).toMatch(/^Usage: pack-build/);
    }
  });

  it('loads no package but the parser to look for an image in a layout', async () => {
    const files = await filesOf(['rebase', 'oci:/nowhere', '--base', 'oci:/nowhere'], 50);
    expect(ofOthers(files)).toEqual([]);
  });
});
