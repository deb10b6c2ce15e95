import { describe, expect, it } from '@jest/globals';
import { parse } from 'yaml';
import { type Files, release } from './support.js';

const web = (buildpack: string, app: Files): unknown => {
  const { status, stdout, stderr } = release(buildpack, app);
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  return parse(stdout).default_process_types?.web;
};

describe('bin/release of nodejs', () => {
  it('starts the start script', () => {
    expect(web('nodejs', { 'package.json': '{"scripts": {"start": "node x.js"}}', 'server.js': '' })).toBe('npm start');
  });

  it('starts server.js when there is no start script', () => {
    expect(web('nodejs', { 'package.json': '{}', 'server.js': '' })).toBe('node server.js');
  });

  it('has no default for an app with neither', () => {
    expect(web('nodejs', { 'package.json': '{"scripts": {"build": "x"}}' })).toBeUndefined();
  });
});

describe('bin/release of go', () => {
  it('starts the only binary', () => {
    expect(web('go', { '.heroku/go/installed': 'shop\n' })).toBe('bin/shop');
  });

  it('starts the binary called web when there are several', () => {
    expect(web('go', { '.heroku/go/installed': 'clock\nweb\n' })).toBe('bin/web');
  });

  it('leaves the choice to the Procfile when there are several others', () => {
    expect(web('go', { '.heroku/go/installed': 'clock\nshop\n' })).toBeUndefined();
  });
});

describe.each(['python', 'procfile'])('bin/release of %s', (buildpack) => {
  it('leaves the processes to the Procfile', () => {
    expect(release(buildpack, {})).toEqual({ status: 0, stdout: '--- {}\n', stderr: '' });
  });
});
