import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { parseSlugignore } from '../../../src/buildpack/slugignore.js';

function ignores(patterns: string, path: string): boolean {
  const isDirectory = path.endsWith('/');
  return parseSlugignore(Buffer.from(patterns)).ignores(
    path.split('/').filter((part) => part !== ''),
    isDirectory,
  );
}

describe('parseSlugignore', () => {
  it.each([
    ['*.psd', 'a.psd', true],
    ['*.psd', 'deep/er/a.psd', true],
    ['*.psd', '.a.psd', false],
    ['*.psd', '.hidden/a.psd', false],
    ['*.psd', 'a.psd.txt', false],
    ['.*', '.env', true],
    ['.*', 'env', false],
    ['.cache', 'deep/.cache/', true],
    ['/test', 'test/', true],
    ['/test', 'deep/test/', false],
    ['test', 'deep/test/', true],
    ['docs/', 'docs/', true],
    ['docs/', 'docs', false],
    ['a/b', 'a/b', true],
    ['a/b', 'x/a/b', true],
    ['/a/b', 'x/a/b', false],
    ['a/**/b', 'a/b', true],
    ['a/**/b', 'a/x/y/b', true],
    ['a/**/b', 'a/.x/b', false],
    ['/**/b', 'x/y/b', true],
    ['a/**', 'a/b', true],
    ['/a/**', 'a/b/c', false],
    ['/a**b', 'axxb', true],
    ['/a*b*c', 'aXbXc', true],
    ['/a*b*c', 'aXbX', false],
    ['fil?', 'file', true],
    ['?env', '.env', false],
    ['/a?c', 'a/c', false],
    ['[ab].txt', 'b.txt', true],
    ['[a-c].txt', 'd.txt', false],
    ['[^a].txt', 'b.txt', true],
    ['[!a].txt', 'a.txt', false],
    ['[^a]env', '.env', false],
    ['[a', '[a', false],
    ['[a', 'a', false],
    ['[\\]]', ']', true],
    ['{a,b}.txt', 'b.txt', true],
    ['{a,b{1,2}}', 'b2', true],
    ['{a,}x', 'x', true],
    ['/{a,b}/c', 'b/c', true],
    ['\\*', '*', true],
    ['\\*', 'x', false],
    ['\\{a,b\\}', '{a,b}', true],
    ['my file.psd', 'my file.psd', true],
    ['my file.psd', 'my', false],
    ['é*', 'été', true],
    ['./a', 'a', true],
    ['a//b', 'a/b', true],
    ['../a', 'a', false],
    ['!a', 'a', false],
    ['!a', '!a', true],
    ['A', 'a', false],
    ['/', 'a', false],
    ['.', 'a', false],
    ['**', 'a', true],
    ['*', 'a/', true],
    ['*', '.a', false],
    ['foo', 'foobar', false],
  ])('R28 reads %j; %j: %j', (pattern, path, expected) => {
    expect(ignores(pattern, path)).toBe(expected);
  });

  it('R28 skips blank lines, comments and white space around patterns, carriage returns too', () => {
    expect(ignores('\ufeff# a\r\n\r\n  b \r\n', 'b')).toBe(true);
    expect(ignores('# a\n', 'a')).toBe(false);
  });

  it('R28 tells of lines that do not do what their author thinks', () => {
    const { notices } = parseSlugignore(Buffer.from('*.log\n!keep.log\n../secret\n'));
    expect(notices).toEqual([
      {
        code: 'SLUGIGNORE_NEGATION',
        message: 'line 2 of .slugignore: `!keep.log` does not bring files back; `!` means nothing there',
      },
      {
        code: 'SLUGIGNORE_OUTSIDE',
        message: 'line 3 of .slugignore: `../secret` matches nothing; patterns stay inside the app',
      },
    ]);
  });

  it('refuses a line that stands for too many patterns', () => {
    expect(() => ignores('{a,b}'.repeat(20), 'a')).toThrow('stands for more than 1000 patterns');
    expect(() => ignores('{'.repeat(100_000), 'a')).toThrow('longer than 4096 characters');
  });

  it.each([
    ['stars', '*a'.repeat(2000), 'a'.repeat(255)],
    ['any depths', '**/'.repeat(1300), 'a/'.repeat(120)],
    ['any depths with names', '**/a*/'.repeat(600), 'a/'.repeat(120)],
    ['nested braces', `${'{'.repeat(2000)}a${'}'.repeat(2000)}`, 'a'],
  ])('needs little time for hostile %s', (_, pattern, path) => {
    const begun = performance.now();
    ignores(pattern, path);
    expect(performance.now() - begun).toBeLessThan(20_000);
  });

  it('ignores a path that is written as it is, and no other', () => {
    const name = fc.stringMatching(/^[a-z0-9 _-]{0,8}[a-z0-9]$/).filter((text) => text.trim() === text);
    fc.assert(
      fc.property(
        fc.array(name, { minLength: 1, maxLength: 4 }),
        fc.array(name, { minLength: 1, maxLength: 4 }),
        (path, other) => {
          const pattern = `/${path.join('/')}`;
          expect(ignores(pattern, path.join('/'))).toBe(true);
          expect(ignores(pattern, other.join('/'))).toBe(path.join('/') === other.join('/'));
        },
      ),
    );
  });
});
