import { relative } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { lockNameOf } from '../../../src/steps/lock-name.js';
import { digestOf } from '../../../src/values/digest.js';

const digest = digestOf(Buffer.from('x'));

describe('lockNameOf', () => {
  it.each([
    ['oci:/home/ann/shop/base:run', 'oci:base:run'],
    ['oci:/home/ann/bases/debian:run', 'oci:../bases/debian:run'],
    ['oci-archive:/home/ann/a.tar', 'oci-archive:../a.tar'],
    ['docker-archive:/home/bob/a.tar:debian:12', 'docker-archive:../../bob/a.tar:debian:12'],
    ['oci:/home/ann/shop', 'oci:.'],
    ['oci:/srv/bases:run', 'oci:/srv/bases:run'],
    ['oci:/srv/../srv/bases:run', 'oci:/srv/bases:run'],
    [`oci:/home/ann/b@${digest}`, `oci:../b@${digest}`],
    ['heroku/heroku:24', 'heroku/heroku:24'],
    ['docker://heroku/heroku:24', 'docker://heroku/heroku:24'],
  ])('calls %s %s', (reference, name) => {
    expect(lockNameOf(reference, '/home/ann/shop', {})).toBe(name);
  });

  it('gives a relative place the same name wherever the command is run', () => {
    const source = `${process.cwd()}/apps/shop`;
    expect(lockNameOf('oci:base:run', source, {})).toBe('oci:../../base:run');
    expect(lockNameOf(`oci:${relative(process.cwd(), '/base')}:run`, '/app', {})).toBe('oci:../base:run');
    expect(lockNameOf('oci:/base:run', '/app', {})).toBe('oci:../base:run');
  });

  it('keeps to the name that an older lock has', () => {
    const reference = 'oci:/home/ann/base:run';
    expect(lockNameOf(reference, '/home/ann/shop', { [reference]: digest })).toBe(reference);
    expect(lockNameOf(reference, '/home/ann/shop', { [reference]: digest, 'oci:../base:run': digest })).toBe(
      'oci:../base:run',
    );
  });
});
