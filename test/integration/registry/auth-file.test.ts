import { afterEach, describe, expect, it } from '@jest/globals';
import { readAuthFile } from '../../../src/registry/auth-file.js';
import { fileWith, removeFiles } from './world.js';

afterEach(removeFiles);

const password = (user: string) => ({ kind: 'password', user, password: 'p' });
const entry = (user: string) => ({ auth: Buffer.from(`${user}:p`).toString('base64') });
const fileOf = async (content: object) => readAuthFile(await fileWith(JSON.stringify(content)), true);

describe('a file with credentials', () => {
  it.each(['https://index.docker.io/v1/', 'index.docker.io', 'docker.io', 'registry-1.docker.io', 'https://docker.io'])(
    'REG-20 knows Docker Hub as %s',
    async (key) => {
      const file = await fileOf({ auths: { [key]: entry('me') } });
      expect(file.entryFor('docker.io', 'library/debian')).toEqual(password('me'));
      expect(file.entryFor('ghcr.io', 'library/debian')).toBeUndefined();
    },
  );

  it('REG-20 has the entry for the longest part of the path, never for a part of a name', async () => {
    const auths = { 'ghcr.io': entry('host'), 'ghcr.io/acme': entry('acme'), 'ghcr.io/acme/shop': entry('shop') };
    const file = await fileOf({ auths });
    const userOf = (repository: string) => file.entryFor('ghcr.io', repository);
    expect(userOf('acme/shop')).toEqual(password('shop'));
    expect(userOf('acme/shop/web')).toEqual(password('shop'));
    expect(userOf('acme/shopping')).toEqual(password('acme'));
    expect(userOf('acmeister/shop')).toEqual(password('host'));
    expect(file.entryFor('ghcr.io.evil.example', 'acme/shop')).toBeUndefined();
    expect(file.entryFor('ghcr.io:8443', 'acme/shop')).toBeUndefined();
  });

  it('takes a password with a colon whole, and an entry without secrets for none', async () => {
    const auths = { a: { auth: Buffer.from('me:p:q').toString('base64') }, 'b.example': {} };
    const file = await fileOf({ auths });
    expect(file.entryFor('a', 'x')).toEqual({ kind: 'password', user: 'me', password: 'p:q' });
    expect(file.entryFor('b.example', 'x')).toBeUndefined();
  });

  it('names the helper of a registry, else the store of all', async () => {
    const file = await fileOf({
      credHelpers: { 'gcr.io': 'gcloud', 'https://index.docker.io/v1/': 'hub' },
      credsStore: 'pass',
    });
    expect(['gcr.io', 'docker.io', 'ghcr.io'].map(file.helperFor)).toEqual(['gcloud', 'hub', 'pass']);
  });

  it('need not be there, unless it was named', async () => {
    expect((await readAuthFile('/none/auth.json', false)).entryFor('a', 'b')).toBeUndefined();
    await expect(readAuthFile('/none/auth.json', true)).rejects.toMatchObject({ code: 'REGISTRY_CREDENTIALS' });
  });
});
