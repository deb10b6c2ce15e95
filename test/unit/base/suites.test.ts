import { describe, expect, it } from '@jest/globals';
import { suiteNamed } from '../../../src/base/suites.js';
import { isFailure } from '../../../src/values/error.js';

describe('suiteNamed', () => {
  it('finds a suite by distribution and version', () => {
    expect(suiteNamed('debian-12')).toMatchObject({ codename: 'bookworm', distribution: 'debian', version: '12' });
  });

  it('lists the known suites when asked for another, and offers the one that was probably meant', () => {
    expect(failureOf('bookworm')).toMatchObject({
      code: 'BASE_SUITE_UNKNOWN',
      why: 'known suites: debian-12, debian-13',
      fix: 'pack-build base create debian-12 --to oci:DIR',
    });
    expect(failureOf('solaris-11')).toMatchObject({
      code: 'BASE_SUITE_UNKNOWN',
      fix: 'name one of them: pack-build base create debian-12 --to oci:DIR',
    });
  });
});

function failureOf(name: string) {
  try {
    suiteNamed(name);
  } catch (error) {
    if (isFailure(error)) return error;
  }
  throw new Error('no failure');
}
