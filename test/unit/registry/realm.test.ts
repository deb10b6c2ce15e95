import { describe, expect, it } from '@jest/globals';
import { checkRealm } from '../../../src/registry/realm.js';

const rules = (host: string, registry = `https://${host}/v2/`, trusted: readonly string[] = []) => ({
  host,
  registry: new URL(registry),
  isTrusted: (url: URL) => trusted.includes(url.host),
});

describe('a token server', () => {
  it.each([
    ['docker.io', 'https://auth.docker.io/token'],
    ['ghcr.io', 'https://ghcr.io/token'],
    ['registry.gitlab.com', 'https://gitlab.com/jwt/auth'],
    ['example.com', 'https://auth.example.com/token'],
    ['registry.digitalocean.com', 'https://api.digitalocean.com/v2/registry/auth'],
    ['host.example:5000', 'https://host.example:5000/token'],
  ])('REG-4 of %s gets the credentials at %s', (host, realm) => {
    expect(checkRealm(realm, rules(host))).toEqual({ url: new URL(realm), mayHaveCredentials: true });
  });

  it.each([
    ['ghcr.io', 'https://evil.example/token'],
    ['ghcr.io', 'https://ghcr.io.evil.example/token'],
    ['ghcr.io', 'https://notghcr.io/token'],
    ['ghcr.io', 'https://ghcr.io:8443/token'],
    ['ghcr.io', 'https://io/token'],
    ['a.azurecr.example', 'https://b.azurecr.example/token'],
    ['docker.io', 'https://auth.docker.io.evil.example/token'],
    ['10.0.0.1', 'https://0.1/token'],
  ])('REG-4 of %s does not get them at %s', (host, realm) => {
    expect(checkRealm(realm, rules(host)).mayHaveCredentials).toBe(false);
  });

  it('REG-4 gets them where the user says so', () => {
    const trusting = rules('ghcr.io', 'https://ghcr.io/v2/', ['tokens.example']);
    expect(checkRealm('https://tokens.example/token', trusting).mayHaveCredentials).toBe(true);
    expect(checkRealm('https://other.example/token', trusting).mayHaveCredentials).toBe(false);
  });

  it('REG-4 is not asked in plain HTTP, unless the registry is, and is it', () => {
    const refusal = expect.objectContaining({ code: 'REGISTRY_ADDRESS' });
    expect(() => checkRealm('http://ghcr.io/token', rules('ghcr.io'))).toThrow(refusal);
    const plain = rules('10.0.0.1:5000', 'http://10.0.0.1:5000/v2/');
    expect(() => checkRealm('http://10.0.0.1:5001/token', plain)).toThrow(refusal);
    expect(checkRealm('http://10.0.0.1:5000/token', plain).mayHaveCredentials).toBe(true);
    const trusted = ['10.0.0.1:5001'];
    expect(() => checkRealm('http://10.0.0.1:5001/token', rules('ghcr.io', undefined, trusted))).toThrow(refusal);
    const near = rules('10.0.0.1:5000', 'http://10.0.0.1:5000/v2/', trusted);
    expect(checkRealm('http://10.0.0.1:5001/token', near).mayHaveCredentials).toBe(true);
  });

  it.each([undefined, '', 'token', '/token', '//host/token'])('REG-7 is not asked at %p', (realm) => {
    expect(() => checkRealm(realm, rules('ghcr.io'))).toThrow(expect.objectContaining({ code: 'REGISTRY_INVALID' }));
  });
});
