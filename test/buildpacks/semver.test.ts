import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import semver from 'semver';
import { BUILDPACKS, run } from './support.js';

const LIB = join(BUILDPACKS, 'nodejs/lib');

const MANY = `
import json, sys
sys.path.insert(0, sys.argv[1])
import semver
answers = []
for versions, text in json.load(sys.stdin):
    try:
        answers.append(semver.best(versions, semver.parse_range(text)))
    except ValueError:
        answers.append("invalid")
json.dump(answers, sys.stdout)
`;

type Question = readonly [versions: readonly string[], range: string];

function ours(questions: readonly Question[]): readonly (string | null)[] {
  const { stdout, stderr } = run(['python3', '-IB', '-c', MANY, LIB], { input: JSON.stringify(questions) });
  expect(stderr).toBe('');
  return JSON.parse(stdout);
}

function oracle([versions, range]: Question): string | null {
  if (semver.validRange(range) === null) return 'invalid';
  const stable = versions.filter((version) => semver.prerelease(version) === null);
  return semver.maxSatisfying(stable, range)?.replace(/^v/, '') ?? null;
}

function expectAgreement(questions: readonly Question[]): void {
  const answers = ours(questions);
  const wrong = questions.flatMap((question, index) => {
    const expected = oracle(question);
    return answers[index] === expected ? [] : [{ question, expected, found: answers[index] }];
  });
  expect(wrong.slice(0, 5)).toEqual([]);
}

const number = fc.integer({ min: 0, max: 4 }).map(String);
const part = fc.oneof({ weight: 6, arbitrary: number }, fc.constantFrom('x', 'X', '*'));
const prerelease = fc.option(fc.constantFrom('-0', '-rc.1', '-alpha', '+build.5', '-rc.1+build'), { nil: '', freq: 6 });
const tag = fc.option(fc.constantFrom('-0', '-rc.1', '-alpha'), { nil: '', freq: 4 });
const version = fc.tuple(number, number, number, tag).map(([a, b, c, end]) => `${a}.${b}.${c}${end}`);
const partial = fc.oneof(
  part,
  fc.tuple(part, part).map((parts) => parts.join('.')),
  fc.tuple(part, part, part, prerelease).map(([a, b, c, end]) => `${a}.${b}.${c}${end}`),
);
const operator = fc.constantFrom('', '', '^', '~', '~>', '>', '>=', '<', '<=', '=', '^ ', '~ ', '>= ', '< ', 'v', '>v');
const comparator = fc.tuple(operator, partial).map((words) => words.join(''));
const hyphen = fc.tuple(partial, partial).map((ends) => ends.join(' - '));
const all = fc.array(comparator, { minLength: 1, maxLength: 3 }).map((each) => each.join(' '));
const range = fc.array(fc.oneof(all, all, hyphen, fc.constant('')), { minLength: 1, maxLength: 3 });
const spelled = fc
  .tuple(range, fc.constantFrom('||', ' || ', '|| '))
  .map(([alternatives, or]) => alternatives.join(or));
const versions = fc.array(
  fc.oneof(
    version,
    version.map((text) => `v${text}`),
  ),
  { minLength: 1, maxLength: 25 },
);
const noise = fc.string({ unit: fc.constantFrom(...'0123.x*^~<>=|- v'), maxLength: 10 });

describe('the version choice of nodejs', () => {
  it('agrees with npm on ranges of every form', () => {
    expectAgreement(fc.sample(fc.tuple(versions, spelled), { numRuns: 5000, seed: 1 }));
  });

  it('agrees with npm on what is not a range', () => {
    expectAgreement(fc.sample(fc.tuple(versions, noise), { numRuns: 5000, seed: 2 }));
  });

  it.each([
    '>=20 <25',
    '18 || 20 || 22',
    '^20.9.0 || >=22.11',
    '20.x',
    '20 - 22',
    '*',
    '',
    'latest',
    'lts/*',
    '>= 20',
    '22.1.0',
  ])('agrees with npm on %p', (text) => {
    expectAgreement([[['18.20.8', '20.8.1', '20.19.5', '22.1.0', '22.21.1', '24.1.0', '25.0.0', '26.0.0-rc.1'], text]]);
  });

  it('leaves out versions that do not run on the chosen Node.js', () => {
    const input = '10.9.0\t^18.17.0 || >=20.5.0\n11.0.0\t^20.17.0 || >=22.9.0\n12.0.0\t>=24\n';
    expect(run(['python3', '-IB', join(LIB, 'semver.py'), '*', '22.10.0'], { input }).stdout).toBe('11.0.0\n');
  });
});
