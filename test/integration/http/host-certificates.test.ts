import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { secureWith } from '../../../src/http/certificates.js';
import { aliasesOf } from '../../../src/registry/name.js';
import { withTempDir } from '../../../src/system/tempdir.js';
import { selfSigned } from '../../support/tls.js';

/** The authorities for a host, beside the known ones, where these directories have one each; by directory. */
const authoritiesOf = (host: string, directories: readonly string[]) =>
  withTempDir('certificates', undefined, async (dir) => {
    const made = new Map<string, string>();
    for (const name of directories) {
      await mkdir(join(dir, 'certs.d', name), { recursive: true });
      const { cert } = selfSigned();
      made.set(cert, name);
      await writeFile(join(dir, 'certs.d', name, 'ca.crt'), cert);
    }
    const secure = secureWith({ env: {}, certificateDirectories: [join(dir, 'certs.d')] }, aliasesOf);
    const { ca = [] } = await secure(host);
    return ca.flatMap((cert) => made.get(cert) ?? []);
  });

describe('certificates for a host', () => {
  it.each([
    ['registry-1.docker.io', ['docker.io'], ['docker.io']],
    ['registry-1.docker.io', ['docker.io', 'registry-1.docker.io'], ['registry-1.docker.io']],
    ['auth.docker.io', ['docker.io'], []],
    ['r.example', ['r.example:443'], ['r.example:443']],
    ['r.example', ['r.example', 'r.example:443'], ['r.example']],
    ['r.example', ['r.example:5000'], []],
    ['r.example:5000', ['r.example', 'r.example:443'], []],
    ['[::1]', ['[::1]:443'], ['[::1]:443']],
    ['.', ['', '..'], []],
    ['..', ['', '..'], []],
  ])('of %s, where there are those of %j, are those of %j', async (host, directories, expected) => {
    expect(await authoritiesOf(host, directories)).toEqual(expected);
  });
});
