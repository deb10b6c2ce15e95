import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { readConfigVars } from '../../../src/cli/config-vars.js';
import { withTempDir } from '../../../src/system/tempdir.js';

describe('readConfigVars', () => {
  it('lets a later file win over an earlier one, and a flag over both', () =>
    withTempDir('vars', undefined, async (dir) => {
      writeFileSync(join(dir, 'one'), 'A=1\nB=1\nC=1\n');
      writeFileSync(join(dir, 'two'), 'B=2\nC=2\n');
      const flags = { envFile: ['one', 'two'].map((name) => join(dir, name)), env: { C: '3' } };
      expect(await readConfigVars(flags, () => undefined)).toEqual({ A: '1', B: '2', C: '3' });
    }));

  it('keeps a name that JavaScript has a meaning for', () =>
    withTempDir('vars', undefined, async (dir) => {
      writeFileSync(join(dir, 'env'), '__proto__=x\nconstructor=y\n');
      const vars = await readConfigVars({ envFile: [join(dir, 'env')] }, () => undefined);
      expect(Object.entries(vars)).toEqual([
        ['__proto__', 'x'],
        ['constructor', 'y'],
      ]);
    }));

  it('says which file cannot be read', async () => {
    await expect(readConfigVars({ envFile: ['/nowhere/env'] }, () => undefined)).rejects.toMatchObject({
      code: 'ENV_INVALID',
      message: 'the env file /nowhere/env cannot be read',
      fix: 'name a file that is there and that you may read, or set the variables with --env NAME=VALUE',
    });
  });
});
