import { describe, expect, it } from '@jest/globals';
import { hostSandbox } from '../../../src/sandbox/host.js';
import { settleTools } from '../../../src/steps/tools.js';

const given = { sandbox: hostSandbox(), env: {} };

describe('settleTools', () => {
  it('gives tools without a listener one that hears nothing', () => {
    for (const tools of [given, { ...given, on: undefined }]) {
      expect(settleTools(tools).on({ type: 'info', message: 'x' })).toBeUndefined();
    }
  });

  it('keeps what it was given', () => {
    const on = () => undefined;
    const { signal } = new AbortController();
    const downloads = async () => ({ status: 404 });
    expect(settleTools({ ...given, on, downloads, signal })).toEqual({ ...given, on, downloads, signal });
  });
});
