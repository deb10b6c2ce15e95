import { mkdtemp, realpath, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { caBundle, caVariables, hostFiles } from '../../../src/sandbox/host-files.js';

let work: string;

beforeAll(async () => {
  work = await realpath(await mkdtemp(join(tmpdir(), 'pack-build-test-')));
  await writeFile(join(work, 'ca.pem'), 'certificates');
  await symlink('ca.pem', join(work, 'link.pem'));
});

afterAll(async () => {
  await rm(work, { recursive: true, force: true });
});

describe('caBundle', () => {
  it('is the file that the environment names, by its real path', async () => {
    expect(await caBundle({ CURL_CA_BUNDLE: join(work, 'link.pem') })).toBe(join(work, 'ca.pem'));
  });

  it('passes over names of files that are not there', async () => {
    expect(await caBundle({ SSL_CERT_FILE: '/none', PIP_CERT: join(work, 'ca.pem') })).toBe(join(work, 'ca.pem'));
  });
});

describe('hostFiles', () => {
  it('R125 are name resolution and the CA bundle, none of them writable', async () => {
    const files = await hostFiles({ SSL_CERT_FILE: join(work, 'ca.pem') });
    expect(files.map(({ to }) => to)).toEqual(['/etc/resolv.conf', '/etc/hosts', '/etc/ssl/certs/ca-certificates.crt']);
    expect(files.some(({ writable }) => writable)).toBe(false);
    expect(files[2]?.from).toBe(join(work, 'ca.pem'));
  });
});

describe('caVariables', () => {
  it('are all set to the name inside when the environment names a bundle', () => {
    const variables = caVariables({ NODE_EXTRA_CA_CERTS: '/corp.pem' });
    expect(Object.keys(variables).sort()).toEqual(
      [
        'CURL_CA_BUNDLE',
        'GIT_SSL_CAINFO',
        'NODE_EXTRA_CA_CERTS',
        'PIP_CERT',
        'REQUESTS_CA_BUNDLE',
        'SSL_CERT_FILE',
      ].sort(),
    );
    expect(new Set(Object.values(variables))).toEqual(new Set(['/etc/ssl/certs/ca-certificates.crt']));
  });

  it('are none when it names none', () => {
    expect(caVariables({ PATH: '/bin', SSL_CERT_FILE: '' })).toEqual({});
  });
});
