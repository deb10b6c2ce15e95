import { expect, it } from '@jest/globals';
import { guardedLookup } from '../../../src/http/addresses.js';

it('REG-3 a name that leads into a private network is not connected to', async () => {
  const error = await new Promise((resolve) => guardedLookup('localhost', {}, resolve));
  expect(error).toMatchObject({ code: 'REGISTRY_ADDRESS', why: expect.stringContaining('address of this machine') });
});
