import { describe, expect, it } from '@jest/globals';
import { detect } from './support.js';

describe.each([
  ['nodejs', 'Node.js', 'package.json'],
  ['python', 'Python', 'requirements.txt'],
  ['python', 'Python', 'Pipfile'],
  ['python', 'Python', 'pyproject.toml'],
  ['go', 'Go', 'go.mod'],
  ['procfile', 'Procfile', 'Procfile'],
])('bin/detect of %s', (buildpack, name, sign) => {
  it(`prints ${name} for an app with ${sign}`, () => {
    expect(detect(buildpack, { [sign]: '' })).toEqual({ status: 0, stdout: `${name}\n`, stderr: '' });
  });

  it('refuses an empty app and says on stderr what it looks for', () => {
    const { status, stdout, stderr } = detect(buildpack, {});
    expect({ status, stdout }).toEqual({ status: 1, stdout: '' });
    expect(stderr).toContain(sign);
  });
});

describe('bin/detect of nodejs', () => {
  it('points at .slugignore when there is one', () => {
    expect(detect('nodejs', { '.slugignore': 'package.json\n' }).stderr).toContain('.slugignore');
  });
});

describe('bin/detect of go', () => {
  it('tells an app from before modules how to become one', () => {
    expect(detect('go', { 'Gopkg.toml': '' }).stderr).toContain("run 'go mod init'");
  });
});
