import { describe, expect, it } from '@jest/globals';
import { makeProcessTable } from '../../../src/buildpack/process-table.js';

const map = (processes: Record<string, string>) => new Map(Object.entries(processes));
const defaults = (processes: Record<string, string>) => ({ buildpack: 'nodejs', processes: map(processes) });

describe('makeProcessTable', () => {
  it('R81 lays the Procfile over the defaults, type by type', () => {
    const table = makeProcessTable(
      defaults({ web: 'npm start', console: 'bash' }),
      map({ web: 'bin/web', worker: 'bin/worker' }),
    );
    expect(Object.fromEntries(table.processes)).toEqual({ web: 'bin/web', console: 'bash', worker: 'bin/worker' });
    expect(table.lines).toEqual(['Procfile declares types -> web, worker', 'Default types for nodejs -> console, web']);
  });

  it('R81 keeps the default web when the Procfile has only a worker', () => {
    const table = makeProcessTable(defaults({ web: 'npm start' }), map({ worker: 'bin/worker' }));
    expect(table.processes.get('web')).toBe('npm start');
    expect(table.defaultType).toBe('web');
  });

  it.each([
    [{ web: 'a', worker: 'b' }, 'web'],
    [{ worker: 'b' }, 'worker'],
    [{ worker: 'b', clock: 'c' }, undefined],
    [{ release: 'migrate' }, undefined],
    [{ release: 'migrate', worker: 'b' }, undefined],
    [{ Web: 'a', worker: 'b' }, undefined],
  ])('R86 picks the default of %j', (processes, expected) => {
    expect(makeProcessTable(undefined, map(processes)).defaultType).toBe(expected);
  });

  it('R87 takes no process at all for a notice', () => {
    const table = makeProcessTable(undefined, undefined);
    expect(table.lines).toEqual(['Procfile declares types -> (none)']);
    expect(table.notices.map(({ code }) => code)).toEqual(['NO_PROCESSES']);
  });

  it('R85 tells of a default that differs from a declared type only in its spelling', () => {
    const table = makeProcessTable(defaults({ web: 'npm start' }), map({ Web: 'bin/web' }));
    expect(table.processes.size).toBe(2);
    expect(table.notices).toEqual([
      {
        code: 'PROCESS_NAME',
        message: "the Procfile's `Web` and nodejs's default `web` are two process types; names are case-sensitive",
      },
    ]);
  });
});
