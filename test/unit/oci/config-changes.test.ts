import { describe, expect, it } from '@jest/globals';
import { assemble } from '../../../src/oci/assemble.js';
import { configChanges } from '../../../src/oci/config-changes.js';
import type { ImageConfig } from '../../../src/oci/documents.js';
import { moveForeign } from '../../../src/oci/foreign.js';
import { appOnto } from '../../../src/oci/parts.js';
import { appOf, baseOf, layerNo } from '../../support/image.js';

const NONE = { conflicts: [], overlaid: [] };
const withConfig = (config: Partial<ImageConfig>) => baseOf({ config });

describe('configChanges', () => {
  it('tells what comes from the new base, at both levels of a config', () => {
    const next = withConfig({ 'os.version': '12.1', config: { Env: ['LANG=C'], Volumes: { '/data': {} } } });
    const [before, after] = [baseOf(), next].map((base) => assemble(base, appOf()).image) as [never, never];
    expect(configChanges(before, after, next.image, NONE)).toEqual([
      { field: 'Env LANG', before: undefined, after: 'C', base: 'C', why: 'base' },
      { field: 'Env PATH', before: '/bin', after: undefined, base: undefined, why: 'base' },
      {
        field: 'Labels io.buildpacks.stack.id',
        before: 'heroku-24',
        after: undefined,
        base: undefined,
        why: 'base',
      },
      { field: 'Volumes /data', before: undefined, after: 'yes', base: 'yes', why: 'base' },
      { field: 'os.version', before: undefined, after: '12.1', base: '12.1', why: 'base' },
    ]);
  });

  it("tells what the app's overlay keeps over the new base", () => {
    const next = withConfig({
      config: { Env: ['PATH=/bin', 'HOME=/root'], Labels: { 'io.buildpacks.stack.id': 'heroku-24' } },
    });
    const { image, conflicts, overlaid = [] } = appOnto(appOf(), next);
    expect(configChanges(assemble(baseOf(), appOf()).image, image, next.image, { conflicts, overlaid })).toEqual([
      { field: 'Env HOME', before: '/app', after: '/app', base: '/root', why: 'overlay' },
    ]);
  });

  it('tells what an image of others and the new base have both changed, and what is merged', () => {
    const run = (Env: readonly string[], User: string) => ({ config: { Env, User, Volumes: {} } });
    const old = baseOf({ config: run(['PATH=/bin', 'LANG=C'], '1') });
    const image = baseOf({
      layers: [...'abc'].map((digit) => layerNo(digit)),
      config: { config: { ...run(['PATH=/own:/bin', 'LANG=de'], '2').config, Volumes: { '/data': {} } } },
    }).image;
    const next = baseOf({ config: run(['PATH=/opt:/bin', 'LANG=fr'], '3') });
    const { image: after, conflicts } = moveForeign(image, { layers: 2, image: old.image }, next);
    expect(configChanges(image, after, next.image, { conflicts, overlaid: [] })).toEqual([
      { field: 'Env LANG', before: 'de', after: 'de', base: 'fr', why: 'conflict' },
      { field: 'Env PATH', before: '/own:/bin', after: '/own:/opt:/bin', base: '/opt:/bin', why: 'merged' },
      { field: 'User', before: '2', after: '2', base: '3', why: 'conflict' },
    ]);
  });
});
