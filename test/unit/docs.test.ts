import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { Command } from 'commander';
import { exitStatusOf } from '../../src/cli/exit-status.js';
import { defineBaseCreate, defineBaseOutdated, defineBaseResolve } from '../../src/cli/flags/base.js';
import { defineBuild } from '../../src/cli/flags/build.js';
import { defineCacheInfo, defineCachePrune } from '../../src/cli/flags/cache.js';
import { defineCheck } from '../../src/cli/flags/check.js';
import { defineDetect } from '../../src/cli/flags/detect.js';
import { defineDoctor } from '../../src/cli/flags/doctor.js';
import { defineInspect } from '../../src/cli/flags/inspect.js';
import { defineIndex } from '../../src/cli/flags/make-index.js';
import { defineRebase } from '../../src/cli/flags/rebase.js';
import { defineRun } from '../../src/cli/flags/run.js';
import { withCommonOptions } from '../../src/cli/options.js';
import { ERROR_PHASES, type ErrorCode, fail } from '../../src/values/error.js';

type Define = (command: Command) => Command;

const COMMANDS: Readonly<Record<string, Define>> = {
  build: defineBuild,
  detect: defineDetect,
  rebase: defineRebase,
  index: defineIndex,
  inspect: defineInspect,
  check: defineCheck,
  run: defineRun,
  'base create': defineBaseCreate,
  'base resolve': defineBaseResolve,
  'base outdated': defineBaseOutdated,
  'cache info': defineCacheInfo,
  'cache prune': defineCachePrune,
  doctor: defineDoctor,
};

const errors = readFileSync('docs/errors.md', 'utf8');

describe('docs/errors.md', () => {
  const rows = rowsOf(errors.slice(0, errors.indexOf('\n## Notices\n')), 4);

  it('has one row for each code, and no other', () => {
    expect(rows.map(([code]) => code).sort()).toEqual(Object.keys(ERROR_PHASES).sort());
  });

  it('tells the exit status of each code', () => {
    const told = rows.map(([code, exit]) => [code, Number(exit)]);
    expect(told).toEqual(rows.map(([code]) => [code, exitStatusOf(fail(code as ErrorCode, { what: '' }))]));
  });

  it('has each code below the name of its phase', () => {
    const phases = errors
      .split(/^## /m)
      .slice(1)
      .flatMap((section) => rowsOf(section, 4).map(([code]) => [code, section.split('\n', 1)[0]]));
    expect(phases).toEqual(rows.map(([code]) => [code, ERROR_PHASES[code as ErrorCode]]));
  });

  it('says of each code when it comes', () => {
    expect(rows.filter(([, , when = '']) => when.length < 10)).toEqual([]);
  });

  it('has one row for each notice, and no other', () => {
    const told = rowsOf(errors.slice(errors.indexOf('\n## Notices\n')), 2).map(([code]) => code);
    expect(told.sort()).toEqual([...noticesInSources()].sort());
  });
});

describe('docs/cli.md', () => {
  const cli = readFileSync('docs/cli.md', 'utf8');
  const common = flagsIn(sectionOf(cli, 'Flags of every command'));

  it.each(Object.keys(COMMANDS))('has each flag of %s, and no other', (name) => {
    const define = COMMANDS[name] as Define;
    const command = withCommonOptions(define(new Command()));
    const real = [...command.options.flatMap(({ long }) => long ?? []), '--help'];
    expect([...flagsIn(sectionOf(cli, `pack-build ${name}`)), ...common].sort()).toEqual(real.sort());
  });

  it('has a section for each command, and no other', () => {
    const told = [...cli.matchAll(/^## pack-build (.*)$/gm)].map(([, name]) => name);
    expect(told).toEqual(Object.keys(COMMANDS));
  });

  it('names each step and each type of event', () => {
    const events = readFileSync('src/values/events.ts', 'utf8');
    const steps = [...(/StepName =([^;]*);/.exec(events)?.[1] ?? '').matchAll(/'([\w.]+)'/g)].map(([, name]) => name);
    const types = [...events.matchAll(/readonly type: '([\w.]+)'/g)].map(([, name]) => name);
    const told = /^`step` is one of (.*?)\. /m.exec(cli)?.[1] ?? '';
    expect([...told.matchAll(/`(\w+)`/g)].map(([, name]) => name)).toEqual(steps);
    expect([...cli.matchAll(/^\| `([\w.]+)` \|/gm)].map(([, name]) => name)).toEqual(expect.arrayContaining(types));
  });
});

describe('documents', () => {
  const documents = tracked('*.md').filter((path) => !/^fixtures\/apps\//.test(path));

  it.each(documents)('%s has links that lead somewhere', (path) => {
    const text = readFileSync(path, 'utf8').replace(/```[\s\S]*?```/g, '');
    const targets = [...text.matchAll(/\]\(([^)\s]+)\)/g)].map(([, target = '']) => target);
    expect(targets.filter((target) => !leadsSomewhere(path, target))).toEqual([]);
  });

  it('docs/architecture.md can be read in one sitting', () => {
    expect(readFileSync('docs/architecture.md', 'utf8').split('\n').length).toBeLessThanOrEqual(200);
  });
});

function sectionOf(text: string, heading: string): string {
  const section = text.split(/^## /m).find((each) => each.startsWith(`${heading}\n`));
  if (section === undefined) throw new Error(`there is no section ${heading}`);
  return section;
}

function flagsIn(section: string): readonly string[] {
  return [...section.matchAll(/^\| `(--[a-z-]+)[^`]*` \|/gm)].map(([, flag = '']) => flag);
}

/** The cells of all rows that begin with a code, of tables with this many columns. */
function rowsOf(text: string, columns: number): readonly (readonly string[])[] {
  const rows = text.split('\n').filter((line) => /^\| `[A-Z_]+` \|/.test(line));
  return rows
    .map((line) =>
      line
        .slice(1, -1)
        .split(/(?<!\\)\|/)
        .map((cell) => cell.trim().replace(/^`(.*)`$/, '$1')),
    )
    .filter((cells) => cells.length === columns);
}

/** Codes of objects that have a message, which errors (`what`) do not. */
function noticesInSources(): ReadonlySet<string> {
  const texts = tracked('src/*.ts').map((path) => readFileSync(path, 'utf8'));
  const codes = texts.flatMap((text) =>
    [...text.matchAll(/code: '([A-Z_]+)',\s*message\b/g)].map(([, code = '']) => code),
  );
  return new Set(codes.filter((code) => !(code in ERROR_PHASES)));
}

function leadsSomewhere(from: string, target: string): boolean {
  if (/^(https?|mailto):/.test(target)) return true;
  const [path = '', anchor] = target.split('#', 2);
  const file = path === '' ? from : join(dirname(from), path);
  if (!existsSync(file)) return false;
  return anchor === undefined || anchorsOf(readFileSync(file, 'utf8')).has(anchor);
}

/** Headings as GitHub names them. */
function anchorsOf(text: string): ReadonlySet<string> {
  const headings = [...text.matchAll(/^#+ (.*)$/gm)].map(([, heading = '']) => heading);
  return new Set(
    headings.map((heading) =>
      heading
        .toLowerCase()
        .replace(/[^\w\- ]/g, '')
        .replaceAll(' ', '-'),
    ),
  );
}

function tracked(pattern: string): readonly string[] {
  const listed = execFileSync('git', ['ls-files', '-z', '--', pattern], { encoding: 'utf8' });
  return listed.split('\0').filter((path) => path !== '' && existsSync(path));
}
