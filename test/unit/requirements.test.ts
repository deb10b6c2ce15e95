import { readdirSync, readFileSync } from 'node:fs';
import { expect, it } from '@jest/globals';

/** Of the buildpack contract: all requirements but bin/test-compile and bin/test (R91, R92), and its surprises. */
const NUMBERS = [
  ...Array.from({ length: 126 }, (_, at) => `R${at + 1}`).filter((name) => !['R91', 'R92'].includes(name)),
  ...Array.from({ length: 40 }, (_, at) => `S${at + 1}`),
];

/** Of what a registry may do to us, and what a client must do then. */
const REGISTRY = Array.from({ length: 21 }, (_, at) => `REG-${at + 1}`);

/** Of what a policy keeps out. */
const RESTRICTIONS = Array.from({ length: 6 }, (_, at) => `RST-${at + 1}`);

/** Of what buildpacks and apps may do to us. */
const BUILDPACKS = Array.from({ length: 14 }, (_, at) => `BP-${at + 1}`);

/** Every `it` and `it.each` with its title. */
const TITLE = /\bit(?:\.each\((?:[^()]|\([^()]*\))*\))?\(\s*(['"`])((?:(?!\1).)*)\1/gs;

it.each(NUMBERS)('%s of the buildpack contract has a test that names it', (number) => {
  expect(TITLES.filter((title) => new RegExp(`(^| )${number} `).test(title))).not.toEqual([]);
});

it.each(REGISTRY)('%s of hostile registries has a test that names it', (number) => {
  expect(TITLES.filter((title) => new RegExp(`(^| )${number} `).test(title))).not.toEqual([]);
});

it.each(RESTRICTIONS)('%s of restrictions has a test that names it', (number) => {
  expect(TITLES.filter((title) => new RegExp(`(^| )${number} `).test(title))).not.toEqual([]);
});

it.each(BUILDPACKS)('%s of hostile buildpacks has a test that names it', (number) => {
  expect(TITLES.filter((title) => new RegExp(`(^| )${number} `).test(title))).not.toEqual([]);
});

const TITLES = readdirSync('test', { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.test.ts'))
  .flatMap((name) => [...readFileSync(`test/${name}`, 'utf8').matchAll(TITLE)].map((match) => match[2] ?? ''));
