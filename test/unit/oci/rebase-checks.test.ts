import { describe, expect, it } from '@jest/globals';
import { assemble } from '../../../src/oci/assemble.js';
import type { Base } from '../../../src/oci/image.js';
import { packageDelta } from '../../../src/oci/package-delta.js';
import { ownParts } from '../../../src/oci/parts.js';
import { type Check, checkRebase, lacking, type Waivers } from '../../../src/oci/rebase-checks.js';
import { planRebase } from '../../../src/oci/rebase-plan.js';
import { split } from '../../../src/oci/split.js';
import { appOf, baseOf, layerNo } from '../../support/image.js';

const STACK = 'io.buildpacks.stack.id';
const NAME = 'io.buildpacks.base.distro.name';
const VERSION = 'io.buildpacks.base.distro.version';
const UID = 'io.buildpacks.base.uid';

function labelled(labels: Readonly<Record<string, string>>, User?: string) {
  return baseOf({ config: { config: { Labels: labels, ...(User === undefined ? {} : { User }) } } });
}

function verdicts(from: ReturnType<typeof baseOf>, to: ReturnType<typeof baseOf>, waivers: Waivers = {}, lost = ['']) {
  const { image } = assemble(from, appOf());
  const checks = checkRebase(image, split(image).app, to, { lost: lost.filter(Boolean) }, waivers);
  return Object.fromEntries(checks.map((check) => [check.name, check.verdict])) as Record<
    Check['name'],
    Check['verdict']
  >;
}

const ALL: Waivers = { stackChange: true, distroChange: true, uidChange: true, abiBreak: true };

describe('checkRebase', () => {
  it('has nothing against a base of the same kind', () => {
    const base = labelled({ [STACK]: 's', [NAME]: 'debian', [VERSION]: '12', [UID]: '1000' });
    expect(new Set(Object.values(verdicts(base, base)))).toEqual(new Set(['holds']));
  });

  it.each<readonly [Check['name'], Record<string, string>, Record<string, string>, keyof Waivers]>([
    ['stack', { [STACK]: 'heroku-22' }, { [STACK]: 'heroku-24' }, 'stackChange'],
    ['distro', { [NAME]: 'debian', [VERSION]: '12' }, { [NAME]: 'debian', [VERSION]: '13' }, 'distroChange'],
    ['distro', { [NAME]: 'debian', [VERSION]: '12' }, { [NAME]: 'ubuntu' }, 'distroChange'],
    ['uid', { [UID]: '1000' }, { [UID]: '2000' }, 'uidChange'],
  ])('refuses another %s, unless that is accepted', (name, before, after, waiver) => {
    const [from, to] = [labelled(before), labelled(after)];
    expect(verdicts(from, to)[name]).toBe('fails');
    expect(verdicts(from, to, { ...ALL, [waiver]: false })[name]).toBe('fails');
    expect(verdicts(from, to, { [waiver]: true })[name]).toBe('waived');
  });

  it.each<readonly [Check['name'], Record<string, string>, Record<string, string>]>([
    ['stack', { [STACK]: 'heroku-22' }, {}],
    ['stack', {}, { [STACK]: 'heroku-22' }],
    ['distro', { [NAME]: 'debian', [VERSION]: '12' }, { [NAME]: 'debian' }],
    ['distro', { [VERSION]: '12' }, { [NAME]: 'debian' }],
    ['uid', {}, {}],
  ])('draws no conclusion about the %s from a label that one of the two lacks', (name, before, after) => {
    expect(verdicts(labelled(before), labelled(after))[name]).toBe('holds');
  });

  it('compares users where both are numbers', () => {
    expect(verdicts(labelled({}), labelled({}, '2000')).uid).toBe('fails');
    expect(verdicts(labelled({}), labelled({}, '1000:5')).uid).toBe('holds');
    expect(verdicts(labelled({}), labelled({}, 'nobody')).uid).toBe('holds');
  });

  it('accepts another platform on no word of anybody', () => {
    const arm = baseOf({ config: { architecture: 'arm64' } });
    expect(verdicts(baseOf(), arm, ALL).platform).toBe('fails');
  });

  it('refuses a base that lacks what the app refers to', () => {
    expect(verdicts(baseOf(), baseOf(), {}, ['/usr/bin/perl']).needs).toBe('fails');
    expect(verdicts(baseOf(), baseOf(), { abiBreak: true }, ['/usr/bin/perl']).needs).toBe('waived');
  });
});

describe('checkRebase with lists of packages', () => {
  const { image } = assemble(baseOf(), appOf());
  const verdict = (before: Record<string, string>, after: Record<string, string>, waivers: Waivers = {}) =>
    checkRebase(image, appOf(), baseOf(), { lost: [], packages: packageDelta(before, after) }, waivers).at(-1);

  it('holds when packages get newer, come or go', () => {
    expect(verdict({ a: '1', b: '1' }, { a: '2', c: '1' })).toMatchObject({ name: 'downgrade', verdict: 'holds' });
  });

  it('refuses older packages and names some, unless they are accepted', () => {
    const before = { a: '2', b: '2', c: '2', d: '2' };
    const after = { a: '1', b: '1', c: '1', d: '1' };
    expect(verdict(before, after)).toMatchObject({
      verdict: 'fails',
      message: 'packages of the new base are older: a 2 -> 1, b 2 -> 1, c 2 -> 1 and 1 more',
      waiver: '--allow-downgrade',
    });
    expect(verdict(before, after, { downgrade: true })?.verdict).toBe('waived');
  });
});

describe('checkRebase without lists of packages', () => {
  const { image } = assemble(baseOf(), appOf());
  const verdict = (before: string | undefined, after: string | undefined, waivers: Waivers = {}) =>
    checkRebase(image, appOf(), baseOf(), { lost: [], made: { before, after } }, waivers).find(
      ({ name }) => name === 'downgrade',
    );
  const [older, newer] = ['2026-01-02T00:00:00Z', '2026-02-01T00:00:00+01:00'];

  it('REB-8 refuses a base that was made before the old one, unless that is accepted', () => {
    expect(verdict(newer, older)).toMatchObject({
      verdict: 'fails',
      code: 'REBASE_DOWNGRADE',
      message: `the new base is older: it was made ${older}, the old one ${newer}`,
      waiver: '--allow-downgrade',
    });
    expect(verdict(newer, older, { downgrade: true })?.verdict).toBe('waived');
  });

  it('knows nothing of the packages of a base that was made later', () => {
    expect(verdict(older, newer)).toMatchObject({
      verdict: 'unknown',
      message: `packages cannot be compared, but the new base was made ${newer}, the old one ${older}`,
    });
    expect(verdict(older, older)?.verdict).toBe('unknown');
  });

  it.each([undefined, 'yesterday', '1970-01-01T00:00:00Z', '1980-01-01T00:00:01Z'])(
    'draws no conclusion from the time %s',
    (time) => {
      expect(verdict(newer, time)).toBeUndefined();
      expect(verdict(time, older)).toBeUndefined();
    },
  );

  it('says that nobody knows what an image of others needs, and lets it go on', () => {
    const { needs: _, ...app } = appOf();
    const checks = checkRebase(image, app, baseOf(), { lost: [] }, {});
    expect(checks.find(({ name }) => name === 'needs')).toMatchObject({ verdict: 'unknown' });
  });
});

describe('lacking', () => {
  it('names paths, then libraries, then versions that libraries lack', () => {
    const provides = {
      hasPath: (path: string) => path === '/a',
      hasLibrary: (name: string) => name === 'liba.so.1',
      hasVersion: (_: string, version: string) => version !== 'A_2',
    };
    const versions = { 'liba.so.1': ['A_1', 'A_2'], 'libb.so.1': ['A_2'] };
    const needs = { paths: ['/a', '/b'], libraries: ['liba.so.1', 'libb.so.1'], versions };
    expect(lacking(needs, provides)).toEqual(['/b', 'libb.so.1', 'A_2 in liba.so.1']);
  });
});

describe('planRebase', () => {
  const { image } = assemble(baseOf({ name: 'old' }), appOf());
  const parts = ownParts(image);
  const planned = (next: Base) => planRebase(image, parts, next, parts.onto(next), { lost: [] }, {});

  it('tells which layers go, which come, and that those of the app stay', () => {
    const next = baseOf({ layers: [layerNo('b'), layerNo('e')], name: 'next' });
    const plan = planned(next);
    expect(plan.layersOut.map(({ diffId }) => diffId)).toEqual([layerNo('a').diffId]);
    expect(plan.layersIn.map(({ diffId }) => diffId)).toEqual([layerNo('e').diffId]);
    expect(plan).toMatchObject({ layersKept: 2, isNoop: false, from: { name: 'old' }, to: { name: 'next' } });
  });

  it('tells which variables and labels change, and leaves its own record out', () => {
    const config = { config: { Env: ['PATH=/opt:/bin', 'NEW=1'], Labels: { [STACK]: 'heroku-24', patch: '2' } } };
    expect(planned(baseOf({ config })).changes).toEqual([
      { field: 'Env NEW', before: undefined, after: '1', base: '1', why: 'base' },
      { field: 'Env PATH', before: '/bin', after: '/opt:/bin', base: '/opt:/bin', why: 'base' },
      { field: 'Labels patch', before: undefined, after: '2', base: '2', why: 'base' },
    ]);
  });

  it('calls it nothing to move onto the same base', () => {
    const plan = planned(baseOf({ name: 'old' }));
    expect(plan).toMatchObject({ isNoop: true, changes: [], layersIn: [], layersOut: [] });
  });
});
