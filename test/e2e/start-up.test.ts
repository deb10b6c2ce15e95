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
  it('tells its version without the parser', async () => {
    const files = await filesOf(['--version']);
    expect(ofPackages(files)).toEqual([]);
    expect(files.length).toBeLessThan(6);
  });

  it.each(['--help', 'rebase --help', 'base create --help'])('loads only the parser for %s', async (line) => {
    const files = await filesOf(line.split(' '));
    expect(ofOthers(files)).toEqual([]);
    expect(files.length - ofPackages(files).length).toBeLessThan(12);
  });

  it('loads no package but the parser to look for an image in a layout', async () => {
    const files = await filesOf(['rebase', 'oci:/nowhere', '--base', 'oci:/nowhere'], 50);
    expect(ofOthers(files)).toEqual([]);
  });
});
