import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { redactUrl } from '../../../src/buildpack/redact.js';
import { parseReference } from '../../../src/buildpack/reference.js';
import { PackBuildError } from '../../../src/values/error.js';

const parse = (text: string) => parseReference(text, '/from');

describe('parseReference', () => {
  it.each([
    ['./bp', { kind: 'directory', path: '/from/bp' }],
    ['../bp', { kind: 'directory', path: '/bp' }],
    ['/a/b', { kind: 'directory', path: '/a/b' }],
    ['.', { kind: 'directory', path: '/from' }],
    ['a/b/c', { kind: 'directory', path: '/from/a/b/c' }],
    ['./with#hash', { kind: 'directory', path: '/from/with#hash' }],
    ['file:///a/b', { kind: 'directory', path: '/a/b' }],
    ['file:///a%20b', { kind: 'directory', path: '/a b' }],
    ['nodejs', { kind: 'bundled', name: 'nodejs' }],
    ['heroku/nodejs', { kind: 'registry', name: 'heroku/nodejs', path: '/from/heroku/nodejs' }],
    ['heroku/nodejs@1.2.3', { kind: 'registry', name: 'heroku/nodejs@1.2.3', path: '/from/heroku/nodejs@1.2.3' }],
  ])('tells places on disk and names: %s', (text, expected) => {
    expect(parse(text)).toEqual({ id: text, ...expected });
  });

  it.each(['.tgz', '.tar.gz', '.tbz', '.tar.bz', '.tar.bz2', '.tar', '.tar.xz', '.TGZ'])(
    'R2 tells a tarball by %s',
    (extension) => {
      expect(parse(`./bp${extension}`)).toMatchObject({ kind: 'tarball', path: `/from/bp${extension}` });
      expect(parse(`file:///bp${extension}?raw=1`)).toMatchObject({ kind: 'tarball', path: `/bp${extension}` });
      expect(parse(`https://example.com/bp${extension}?raw=1`)).toMatchObject({ kind: 'http' });
    },
  );

  it.each([
    ['https://example.com/a/b', 'https://example.com/a/b', undefined],
    ['https://example.com/a/b.git#v1', 'https://example.com/a/b.git', 'v1'],
    ['https://example.com/a/b#', '', 'invalid'],
    ['git://example.com/a#feature/x', 'git://example.com/a', 'feature/x'],
    ['ssh://git@example.com:22/a', 'ssh://git@example.com:22/a', undefined],
    ['git+ssh://git@example.com/a', 'ssh://git@example.com/a', undefined],
    ['git@example.com:a/b.git#v1', 'git@example.com:a/b.git', 'v1'],
    ['example.com:a/b', 'example.com:a/b', undefined],
    ['./repo.git#v1', '/from/repo.git', 'v1'],
    ['file:///repo.git', 'file:///repo.git', undefined],
    ['file:///repo#v1', 'file:///repo', 'v1'],
    ['https://example.com/a#b#c', 'https://example.com/a', 'b#c'],
  ])('R2 R3 splits a git address at the first #: %s', (text, url, ref) => {
    if (ref === 'invalid') expect(() => parse(text)).toThrow('does not name a buildpack');
    else expect(parse(text)).toEqual({ id: redactUrl(text), kind: 'git', url, ...(ref === undefined ? {} : { ref }) });
  });

  it.each([
    '',
    '-u',
    '--upload-pack=x',
    'ruby',
    'ext::sh -c x',
    'ftp://example.com/x',
    's3://bucket/x',
    'a\nb',
    'https://example.com/a#--x',
    'https://example.com/a#a..b',
    'file://host/x',
    'https://a%zz:b@example.com/x.tgz',
    'https://a:%zz@example.com/x.tgz',
  ])('R3 refuses %j with a clear message', (text) => {
    try {
      parse(text);
    } catch (error) {
      expect(error).toBeInstanceOf(PackBuildError);
      expect(error).toMatchObject({ code: 'REFERENCE_INVALID', fix: expect.stringContaining('name a directory') });
      return;
    }
    throw new Error('it did not fail');
  });

  it('says how to write a directory that looks like a name', () => {
    expect(() => parse('ruby')).toThrow(expect.objectContaining({ why: expect.stringContaining('`./ruby`') }));
  });

  it('records no credentials', () => {
    expect(parse('https://user:secret@example.com/a.git#v1').id).toBe('https://example.com/a.git#v1');
    expect(parse('https://example.com/a.tgz?token=secret&x=1').id).toBe('https://example.com/a.tgz?token=…&x=1');
    expect(parse('ssh://git:secret@example.com/a').id).toBe('ssh://git@example.com/a');
    expect(parse('https://user:secret@example.com/a.git')).toMatchObject({
      url: 'https://user:secret@example.com/a.git',
    });
  });

  it.each([
    'X-Goog-Signature',
    'X-Goog-Credential',
    'private_token',
    'X-Amz-Security-Token',
    'AWSAccessKeyId',
    'sig',
    'client_secret',
    'pass',
    'Authorization',
  ])('records no value of the parameter %s', (name) => {
    const signed = `https://example.com/a.tgz?x=1&${name}=c2VjcmV0?/+%3D&y=2`;
    expect(parse(signed).id).toBe(`https://example.com/a.tgz?x=1&${name}=…&y=2`);
    expect(redactUrl(`GET https://example.com/?to=https://example.com/?${name}=c2VjcmV0 failed`)).not.toContain('c2Vj');
  });

  it('hides secrets in a long line at once', () => {
    const began = performance.now();
    for (const part of ['?', '&', 'sig', '?sig', '&key=', '=']) redactUrl(`https://h/?${part.repeat(100_000)}`);
    expect(performance.now() - began).toBeLessThan(5000);
  });

  it('gives a reference or its own error for any text, and never an option to git', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        try {
          const reference = parse(text);
          if (reference.kind === 'git') expect(`${reference.ref ?? 'x'}`).not.toMatch(/^-/);
        } catch (error) {
          expect(error).toMatchObject({ code: 'REFERENCE_INVALID' });
        }
      }),
    );
  });
});
