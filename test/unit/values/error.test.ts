import { describe, expect, it } from '@jest/globals';
import { fail, isFailure, PackBuildError, systemCode } from '../../../src/values/error.js';
import { type Event, step } from '../../../src/values/events.js';

describe('fail', () => {
  it('makes an error that carries what it was told', () => {
    const cause = new Error('below');
    const error = fail('USAGE', { what: 'w', why: 'y', fix: 'f', details: { n: 1 }, cause });
    expect(error).toBeInstanceOf(PackBuildError);
    expect(error).toMatchObject({ name: 'PackBuildError', code: 'USAGE', message: 'w', why: 'y', fix: 'f', cause });
    expect(error.details).toEqual({ n: 1 });
  });

  it('has no cause and no details where there are none', () => {
    expect('cause' in fail('USAGE', { what: 'w' })).toBe(false);
    expect(fail('USAGE', { what: 'w' }).details).toEqual({});
  });
});

describe('isFailure', () => {
  it('tells errors by their codes', () => {
    const error = fail('USAGE', { what: 'w' });
    expect([isFailure(error), isFailure(error, 'INTERNAL', 'USAGE'), isFailure(error, 'INTERNAL')]).toEqual([
      true,
      true,
      false,
    ]);
    expect([new Error('x'), undefined, { code: 'USAGE' }].map((it) => isFailure(it))).toEqual([false, false, false]);
  });
});

describe('systemCode', () => {
  it.each<readonly [unknown, string | undefined]>([
    [Object.assign(new Error(), { code: 'ENOENT' }), 'ENOENT'],
    [{ code: 5 }, undefined],
    [null, undefined],
    ['ENOENT', undefined],
  ])('of %j is %s', (error, code) => {
    expect(systemCode(error)).toBe(code);
  });
});

describe('step', () => {
  it('is told of at its beginning and its end, and gives what the work gives', async () => {
    const events: Event[] = [];
    expect(
      await step(
        (event) => events.push(event),
        'compile',
        'nodejs',
        async () => 5,
      ),
    ).toBe(5);
    expect(events).toEqual([
      { type: 'step.start', step: 'compile', subject: 'nodejs' },
      { type: 'step.end', step: 'compile', subject: 'nodejs' },
    ]);
  });

  it('has an end also when the work fails', async () => {
    const types: string[] = [];
    const work = step(
      ({ type }) => types.push(type),
      'write',
      undefined,
      () => Promise.reject(new Error('x')),
    );
    await expect(work).rejects.toThrow('x');
    expect(types).toEqual(['step.start', 'step.end']);
  });
});
