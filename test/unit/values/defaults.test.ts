import { describe, expect, it } from '@jest/globals';
import { withDefaults } from '../../../src/values/defaults.js';

interface Request {
  readonly name: string;
  readonly to?: readonly string[] | undefined;
  readonly strict?: boolean | undefined;
}

describe('withDefaults', () => {
  const defaults = { to: ['there'], strict: false };

  it('fills in what is absent or undefined', () => {
    const request: Request = { name: 'a', strict: undefined };
    expect(withDefaults(request, defaults)).toEqual({ name: 'a', to: ['there'], strict: false });
  });

  it('leaves what is there, also when it says nothing', () => {
    const request: Request = { name: 'a', to: [], strict: true };
    expect(withDefaults(request, defaults)).toEqual({ name: 'a', to: [], strict: true });
  });
});
