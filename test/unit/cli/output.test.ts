import { describe, expect, it } from '@jest/globals';
import { Command } from 'commander';
import { exitStatusOf } from '../../../src/cli/exit-status.js';
import { type ListenerOptions, makeListener } from '../../../src/cli/listener.js';
import { assignments, several } from '../../../src/cli/options.js';
import { errorJson, renderError } from '../../../src/cli/render-error.js';
import { styleFor } from '../../../src/cli/style.js';
import { makeTimings, renderTimings } from '../../../src/cli/timings.js';
import { ERROR_PHASES, type ErrorCode, fail, type Phase } from '../../../src/values/error.js';
import type { Event } from '../../../src/values/events.js';

const plain = styleFor({}, {});

describe('exitStatusOf', () => {
  const statuses: Readonly<Record<Phase, number>> = {
    bug: 1,
    usage: 2,
    base: 10,
    detect: 20,
    compile: 30,
    release: 40,
    layers: 50,
    registry: 60,
    rebase: 70,
    sandbox: 80,
    policy: 90,
    interrupted: 130,
  };

  it.each(Object.entries(ERROR_PHASES))('of %s tells that its phase is %s', (code, phase) => {
    const late = code.endsWith('_TIMEOUT') ? 1 : 0;
    expect(exitStatusOf(fail(code as ErrorCode, { what: '' }))).toBe(statuses[phase] + late);
  });

  it.each([new Error('x'), undefined, 'x', null])('is 1 for %s, which no code of ours made', (error) => {
    expect(exitStatusOf(error)).toBe(1);
  });
});

describe('renderError', () => {
  it('puts what, why and fix on lines of their own and indents what goes on', () => {
    const error = fail('BASE_NOT_FOUND', { what: 'no base', why: 'first\nsecond', fix: 'do this\nor that' });
    expect(renderError(error, plain)).toBe(
      [
        'error BASE_NOT_FOUND: no base',
        '  why:  first',
        '        second',
        '  fix:  do this',
        '        or that',
        '',
      ].join('\n'),
    );
  });

  it('leaves out what there is not', () => {
    expect(renderError(fail('INTERRUPTED', { what: 'interrupted' }), plain)).toBe('error INTERRUPTED: interrupted\n');
  });

  it('calls anything else a bug of its own and shows where', () => {
    expect(renderError(new Error('boom'), plain)).toMatch(/^error INTERNAL: .*\n {2}why: {2}Error: boom\n {8} *at /);
    expect(renderError('boom', plain)).toContain('  why:  boom\n');
  });
});

describe('errorJson', () => {
  it('has the same members for every error', () => {
    expect(errorJson(fail('USAGE', { what: 'a', details: { n: 1 } }))).toEqual({
      type: 'error',
      code: 'USAGE',
      message: 'a',
      why: null,
      fix: null,
      details: { n: 1 },
    });
    expect(errorJson(new Error('boom'))).toMatchObject({ type: 'error', code: 'INTERNAL', message: 'boom' });
    expect(errorJson(undefined)).toMatchObject({ code: 'INTERNAL', message: 'undefined' });
  });
});

describe('styleFor', () => {
  it.each<readonly [string, { isTTY?: boolean }, Record<string, string>, boolean]>([
    ['a terminal', { isTTY: true }, {}, true],
    ['a terminal with an empty NO_COLOR', { isTTY: true }, { NO_COLOR: '' }, true],
    ['a terminal with NO_COLOR', { isTTY: true }, { NO_COLOR: '1' }, false],
    ['a dumb terminal', { isTTY: true }, { TERM: 'dumb' }, false],
    ['a pipe', {}, {}, false],
  ])('writes to %s as it should', (_, stream, env, colours) => {
    const style = styleFor(stream, env);
    expect([style.red('x'), style.bold('x'), style.yellow('x')].every((text) => text === 'x')).toBe(!colours);
  });
});

const events: readonly Event[] = [
  { type: 'step.start', step: 'compile', subject: 'nodejs' },
  { type: 'info', message: '-----> Compiling' },
  { type: 'output', step: 'compile', subject: 'nodejs', stream: 'stdout', bytes: Buffer.from('é\n') },
  { type: 'output', step: 'compile', subject: 'nodejs', stream: 'stderr', bytes: Buffer.from([0xc3]) },
  { type: 'notice', code: 'LOCK_CHANGED', message: 'mind this' },
  { type: 'report', subject: 'nodejs', values: { version: '20' } },
  { type: 'step.end', step: 'compile', subject: 'nodejs' },
];

function shown(options: Partial<ListenerOptions>): { readonly stdout: string; readonly stderr: string } {
  const [stdout, stderr]: [Uint8Array[], Uint8Array[]] = [[], []];
  const output = {
    stdout: { write: (text: string) => stdout.push(Buffer.from(text)) },
    stderr: { write: (text: string | Uint8Array) => stderr.push(Buffer.from(text as string)) },
    style: plain,
  };
  const { on } = makeListener(output, { json: false, quiet: false, verbose: false, ...options });
  for (const event of events) on(event);
  return { stdout: Buffer.concat(stdout).toString(), stderr: Buffer.concat(stderr).toString('latin1') };
}

describe('makeListener', () => {
  it('shows people what is said, byte for byte, on stderr only', () => {
    expect(shown({})).toEqual({
      stdout: '',
      stderr: Buffer.concat([
        Buffer.from('-----> Compiling\né\n'),
        Buffer.from([0xc3]),
        Buffer.from('warning: mind this\n'),
      ]).toString('latin1'),
    });
  });

  it('shows warnings alone when it is to be quiet', () => {
    expect(shown({ quiet: true }).stderr).toBe('warning: mind this\n');
  });

  it('shows steps when it is to be verbose', () => {
    expect(shown({ verbose: true }).stderr).toMatch(/^\[compile nodejs\]\n/);
  });

  it('gives programs one object a line on stdout, also for output that is no text', () => {
    const { stdout, stderr } = shown({ json: true });
    const lines = stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(stderr).toBe('');
    expect(lines.map(({ type }) => type)).toEqual(events.map(({ type }) => type));
    expect(lines[2]).toMatchObject({ stream: 'stdout', text: 'é\n' });
    expect(lines[3]).toMatchObject({ stream: 'stderr', base64: 'ww==' });
    expect(lines[3]).not.toHaveProperty('bytes');
  });
});

describe('timings', () => {
  it('have a row for each step that ended, in that order, and account for the rest', () => {
    const timings = makeTimings();
    for (const event of events) timings.add(event);
    timings.add({ type: 'step.end', step: 'compile', subject: 'nodejs' });
    timings.add({ type: 'step.start', step: 'write' });
    expect(timings.table().map(({ step }) => step)).toEqual(['compile nodejs']);
    const rows = renderTimings({ ...timings, table: () => [{ step: 'base', ms: 1234.4 }], totalMs: () => 2000 });
    expect(rows).toBe(
      ['base                1.234 s', '(between steps)     0.766 s', 'total               2.000 s', ''].join('\n'),
    );
  });
});

describe('options', () => {
  it('collect values that are given several times', () => {
    expect(several('b', several('a', undefined))).toEqual(['a', 'b']);
  });

  it('collect assignments, whose values may hold equals signs, and whose last one wins', () => {
    const command = new Command().option('--env <assignment>', '', assignments);
    command.parse(['--env', 'A=1=2', '--env', 'B=', '--env', '__proto__=x', '--env', 'A=3'], { from: 'user' });
    expect(Object.entries(command.opts<{ env: object }>().env)).toEqual([
      ['A', '3'],
      ['B', ''],
      ['__proto__', 'x'],
    ]);
  });

  it.each(['A', '=1', ''])('refuse %j as an assignment', (text) => {
    expect(() => assignments(text, undefined)).toThrow('write it as NAME=VALUE');
  });
});
