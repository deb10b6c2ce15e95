import { describe, expect, it } from '@jest/globals';
import { bootstrapFailure } from '../../../src/base/explain.js';
import { suiteNamed } from '../../../src/base/suites.js';

const suite = suiteNamed('debian-12');

function explained(...lines: string[]) {
  return bootstrapFailure({ suite, code: 25, lines });
}

describe('bootstrapFailure', () => {
  it('names the package that does not exist', () => {
    const error = explained('E: Unable to locate package imagemagic', 'E: setup failed: E: command failed: set -eu');
    expect(error).toMatchObject({
      code: 'BASE_CREATE_FAILED',
      message: 'Debian 12 has no package imagemagic that can be installed',
      why: 'mmdebstrap ended with exit status 25; its last lines:\n  E: Unable to locate package imagemagic',
      fix: 'take imagemagic out of --include, or correct its name',
      details: { suite: 'debian-12', package: 'imagemagic' },
    });
  });

  it.each([
    ["E: Version '9' for 'curl' was not found", 'curl'],
    ["E: Package 'foo' has no installation candidate", 'foo'],
    ["E: Couldn't find any package by regex 'x.y'", 'x.y'],
  ])('names the package in %j', (line, name) => {
    expect(explained(line).details).toMatchObject({ package: name });
  });

  it.each([
    ['E: Failed to fetch http://m/InRelease  Could not connect', 'packages of Debian 12 could not be fetched'],
    [
      'W: GPG error: NO_PUBKEY 0E98404D386FA1D9',
      "the archive of Debian 12 could not be verified with this machine's keys",
    ],
    ['E: cannot find newuidmap', 'an ordinary user cannot make a base on this machine yet'],
    [
      'unshare: unshare failed: Operation not permitted',
      'this container does not let root make mounts, which making a base needs',
    ],
  ])('says for %j what the matter is', (line, what) => {
    const error = explained(line);
    expect(error.message).toBe(what);
    expect(error.fix).toBeDefined();
  });

  it('says that the disk is full', () => {
    expect(explained('tar: ./x: Cannot write: No space left on device').code).toBe('DISK_FULL');
  });

  it('shows the last lines when it does not know', () => {
    const error = explained('I: extracting', 'something odd');
    expect(error.message).toBe('mmdebstrap could not make the base debian-12');
    expect(error.why).toContain('something odd');
    expect(error.fix).toBeUndefined();
  });

  it('shows no credentials of a mirror', () => {
    expect(explained('E: Failed to fetch http://user:secret@m/x').why).toContain('http://m/x');
  });
});
