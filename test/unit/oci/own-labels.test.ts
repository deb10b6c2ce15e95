import { describe, expect, it } from '@jest/globals';
import { requireLabels } from '../../../src/oci/own-labels.js';
import { PackBuildError } from '../../../src/values/error.js';

describe('requireLabels', () => {
  it('takes names in any form that is used', () => {
    const labels = {
      'com.example.version': '1',
      maintainer: '',
      'org.opencontainers.image.revision': 'abc',
      a_B: 'x=y',
    };
    expect(() => requireLabels(labels)).not.toThrow();
  });

  it.each([
    ['dev.pack-build.app', 'those of pack-build itself'],
    ['dev.pack-build.anything', 'those of pack-build itself'],
    ['org.opencontainers.image.base.digest', 'untrue after a rebase'],
    ['io.buildpacks.stack.id', 'a rebase looks at it'],
    ['io.buildpacks.base.distro.name', 'a rebase looks at it'],
    ['', 'the name is empty'],
    ['two words', 'white space'],
    ['bell\u0007', 'control characters'],
  ])('refuses %j', (name, why) => {
    expect(() => requireLabels({ fine: '1', [name]: 'x' })).toThrow(PackBuildError);
    try {
      requireLabels({ [name]: 'x' });
    } catch (error) {
      expect(error).toMatchObject({ code: 'LABEL_INVALID', why: expect.stringContaining(why) });
    }
  });
});
