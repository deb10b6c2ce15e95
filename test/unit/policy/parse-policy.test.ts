import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { MAX_POLICY_BYTES, parsePolicyJson, policyOf } from '../../../src/policy/parse-policy.js';
import { PRESETS } from '../../../src/policy/presets.js';
import { POLICY_SCHEMA, publishedSchema, type Schema } from '../../../src/policy/schema.js';
import { VIOLATION_CODES } from '../../../src/policy/violation.js';
import { parsePolicyToml } from '../../../src/settings/policy-file.js';
import { isFailure, type Json } from '../../../src/values/error.js';

const json = (text: string | Uint8Array) => parsePolicyJson(Buffer.from(text), 'p.json');
const toml = (text: string) => parsePolicyToml(Buffer.from(text), 'p.toml');

/** What refusing says, in one line. */
function refusal(read: () => unknown): string {
  try {
    read();
  } catch (error) {
    if (isFailure(error, 'POLICY_INVALID')) return [error.message, error.why, error.fix].filter(Boolean).join(' | ');
    throw error;
  }
  return 'it was read';
}

describe('a policy', () => {
  it('RST-4 is the same in JSON and in TOML', () => {
    const expected = { maxLayers: 3, users: { minUid: 1000 }, whiteouts: { within: ['/app'] } };
    expect(json(JSON.stringify(expected))).toEqual(expected);
    expect(toml('maxLayers = 3\nusers.minUid = 1000\n[whiteouts]\nwithin = ["/app"]\n')).toEqual(expected);
  });

  it.each([
    ['{"maxLayer": 3}', 'did you mean `maxLayers`?'],
    ['{"users": {"forbitRoot": true}}', 'p.json: users has a key that is not known: "forbitRoot"'],
    ['{"users": {"forbitRoot": true}}', 'did you mean `forbidRoot`?'],
    ['{"something-else": 3}', 'known keys: maxImageBytes'],
    ['{"__proto__": {"maxLayers": 1}}', 'p.json has a key that is not known: "__proto__"'],
    ['{"constructor": 1}', 'not known: "constructor"'],
    ['{"users": {"__proto__": true}}', 'not known: "__proto__"'],
    ['{"maxLayers": 3, "maxLayers": 4}', 'has the member "maxLayers" twice'],
    ['{"maxLayers": 3, "max\\u004cayers": 4}', 'has the member "max\\u004cayers" twice'],
    ['{"env": {"maxBytes": 1}, "bases": {"allow": [], "allow": []}}', 'has the member "allow" twice'],
    ['{"signatures": {"require": []}}', 'asks for signatures, which are not supported'],
    ['{"attestations": {}}', 'asks for attestations, which are not supported'],
    ['{"maxLayers": "3"}', 'maxLayers must be a whole number from 0'],
    ['{"maxLayers": 1.5}', 'maxLayers must be a whole number'],
    ['{"maxLayers": -1}', 'maxLayers must be a whole number'],
    ['{"maxLayers": 1e400}', 'maxLayers must be a whole number'],
    ['{"maxLayers": 9007199254740993}', 'maxLayers must be a whole number'],
    ['{"maxLayers": null}', 'found null'],
    ['{"maxLayers": NaN}', 'p.json is not JSON'],
    ['{"setuid": "allow"}', 'setuid must be "forbid" or "base-only"'],
    ['{"whiteouts": "some"}', 'whiteouts must be "none"'],
    ['{"whiteouts": 3}', 'whiteouts must be "none" or an object'],
    ['{"whiteouts": {}}', 'whiteouts.within must be there'],
    ['{"writablePrefixes": ["app"]}', 'writablePrefixes[0] must be a string that matches ^/'],
    ['{"platforms": ["linux"]}', 'platforms[0] must be a string that matches'],
    ['{"ports": {"min": 0}}', 'ports.min must be a whole number from 1 to 65535'],
    ['{"users": []}', 'users must be an object'],
    ['{"volumes": {}}', 'volumes must be a list'],
    ['{"created": {}}', 'created.maxSkewSeconds must be there'],
    ['[]', 'must be an object'],
    ['null', 'must be an object'],
    ['', 'p.json is not JSON'],
    ['\ufeff{}', 'p.json is not JSON'],
    ['{} {}', 'p.json is not JSON'],
    [`{"volumes": ${'['.repeat(30_000)}${']'.repeat(30_000)}}`, 'levels deep'],
    [`{"volumes": [${Array.from({ length: 1001 }, () => '"/a"').join()}]}`, 'has more than 1000 items'],
    [`{"maxLayers": 1}${' '.repeat(MAX_POLICY_BYTES)}`, 'p.json is too large'],
    [`{"${'x'.repeat(60_000)}": 1}`, 'has a key that is not known'],
  ])('RST-4 is refused where it is not one: %j', (text, said) => {
    expect(refusal(() => json(text))).toContain(said);
  });

  it.each([
    ['maxLayers = nan', 'maxLayers must be a whole number'],
    ['maxLayers = inf', 'maxLayers must be a whole number'],
    ['maxLayers = 1\nmaxLayers = 2', 'p.toml is not TOML'],
    ['users = 2026-01-01', 'users must be an object'],
    ['__proto__.maxLayers = 1', 'not known: "__proto__"'],
    ['maxLayer = 1', 'did you mean `maxLayers`?'],
    [`volumes = ${'['.repeat(20_000)}`, 'p.toml is not TOML'],
    ['maxLayers = 99999999999999999999', 'p.toml is not TOML'],
    ['#'.repeat(MAX_POLICY_BYTES + 1), 'p.toml is too large'],
  ])('RST-4 is refused in TOML where it is not one: %j', (text, said) => {
    expect(refusal(() => toml(text))).toContain(said);
  });

  it('RST-4 leaves the prototype of objects alone', () => {
    refusal(() => json('{"__proto__": {"polluted": 1}, "constructor": {"prototype": {"polluted": 1}}}'));
    refusal(() => toml('[__proto__]\npolluted = 1'));
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
  });

  it('RST-4 of any bytes is read or refused, and what is read is of the schema', () => {
    const words = Object.keys(POLICY_SCHEMA.properties ?? {});
    const key = fc.oneof(fc.constantFrom(...words, '__proto__', 'min', 'allow', 'within'), fc.string());
    const value = fc.letrec((tie) => ({
      any: fc.oneof(
        { maxDepth: 3 },
        fc.jsonValue(),
        fc.constantFrom('none', 'forbid', 'base-only', 1, 0, true, '/app'),
        fc.array(tie('any'), { maxLength: 3 }),
        fc.dictionary(key, tie('any'), { maxKeys: 3 }),
      ),
    })).any;
    const text = fc.oneof(
      fc.dictionary(key, value, { maxKeys: 4 }).map((policy) => Buffer.from(JSON.stringify(policy))),
      fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes)),
      fc
        .string({ unit: fc.constantFrom('{', '}', '[', ']', '"', ':', ',', '=', '\\', 'maxLayers', '1', '\n', ' ') })
        .map((s) => Buffer.from(s)),
    );
    fc.assert(
      fc.property(text, (bytes) => {
        for (const read of [parsePolicyJson, parsePolicyToml]) {
          let policy: unknown;
          try {
            policy = read(bytes, 'p');
          } catch (error) {
            expect(isFailure(error, 'POLICY_INVALID')).toBe(true);
            continue;
          }
          expect(Object.keys(policy as object).filter((name) => !words.includes(name))).toEqual([]);
        }
      }),
      { numRuns: 2000 },
    );
  });

  it('RST-4 that is valid is read as it stands', () => {
    fc.assert(
      fc.property(valid(POLICY_SCHEMA), (policy) => {
        expect(json(JSON.stringify(policy))).toEqual(policy);
      }),
      { numRuns: 300 },
    );
  });

  it('RST-4 with one more key anywhere is refused', () => {
    for (const [name, schema] of Object.entries(POLICY_SCHEMA.properties ?? {}).filter(
      ([, { type }]) => type === 'object',
    ))
      expect(
        refusal(() => json(JSON.stringify({ [name]: { [`${Object.keys(schema.properties ?? {})[0]}x`]: 1 } }))),
      ).toContain('did you mean');
  });
});

describe('presets', () => {
  it.each(Object.keys(PRESETS))('%s is a policy', (name) => {
    const preset = PRESETS[name as keyof typeof PRESETS];
    expect(policyOf({ value: preset as unknown as Json, at: name, code: 'POLICY_INVALID' })).toBe(preset);
  });
});

describe('docs', () => {
  it('docs/policy.schema.json is what the code reads: make it anew with node scripts/policy-schema.mjs', () => {
    expect(JSON.parse(readFileSync('docs/policy.schema.json', 'utf8'))).toEqual(
      JSON.parse(JSON.stringify(publishedSchema())),
    );
  });

  it('docs/policy.md has each field and each code, and no other', () => {
    const text = readFileSync('docs/policy.md', 'utf8');
    const fields = [
      ...text.slice(text.indexOf('\n## The file\n'), text.indexOf('\n## What counts\n')).matchAll(/^\| `(\w+)` \|/gm),
    ];
    expect(fields.map(([, field]) => field)).toEqual(Object.keys(POLICY_SCHEMA.properties ?? {}));
    expect([...new Set(text.match(/RST_[A-Z_]+/g))].sort()).toEqual([...VIOLATION_CODES].sort());
  });
});

/** Any value that this schema allows, as far as it goes. */
function valid(schema: Schema): fc.Arbitrary<unknown> {
  if (schema.oneOf !== undefined) return fc.oneof(...schema.oneOf.map(valid));
  if (schema.enum !== undefined) return fc.constantFrom(...schema.enum);
  if (schema.type === 'integer')
    return fc.maxSafeNat().map((n) => Math.max(schema.minimum ?? 0, n % ((schema.maximum ?? n) + 1)));
  if (schema.type === 'boolean') return fc.boolean();
  if (schema.type === 'array') return fc.array(valid(schema.items ?? {}), { maxLength: 4 });
  if (schema.type === 'string')
    return schema.pattern?.includes('[a-z0-9]')
      ? fc.constantFrom('linux/amd64', 'linux/arm/v7')
      : fc.constantFrom('/app', '/');
  const members = Object.entries(schema.properties ?? {}).map(([name, member]) => [name, valid(member)] as const);
  return fc.record(Object.fromEntries(members), {
    requiredKeys: [...(schema.required ?? [])],
  }) as fc.Arbitrary<unknown>;
}
