import { lstat } from 'node:fs/promises';
import { join } from 'node:path';
import { makeProcessTable, type ProcessTable } from '../buildpack/process-table.js';
import { parseProcfile } from '../buildpack/procfile.js';
import { readBuiltFile } from '../buildpack/read-file.js';
import { hostPath, type RootedWorkspace } from '../buildpack/workspace.js';
import type { Listener } from '../values/events.js';
import type { BuildpackRun } from './run-buildpacks.js';

/**
 * Reads the Procfile that is there after all compiles (R82) and lays it over the release's defaults (R81). Throws
 * `PROCFILE_MALFORMED`.
 */
export async function readProcesses(
  run: BuildpackRun,
  strict: boolean,
  workspace: RootedWorkspace,
  on: Listener,
): Promise<ProcessTable> {
  const root = hostPath(workspace, workspace.buildDir);
  const bytes = await readBuiltFile(workspace, 'Procfile');
  const procfile = bytes === undefined ? undefined : parseProcfile(bytes, { strict });
  const defaults =
    run.release === undefined ? undefined : { buildpack: run.release.buildpack, processes: run.release.processes };
  const table = makeProcessTable(defaults, procfile?.processes);
  // Where nothing else names a process, a bad line is not one that an app can do without.
  if (bytes !== undefined && table.processes.size === 0) parseProcfile(bytes, { strict: true });
  on({ type: 'info', message: '-----> Discovering process types' });
  for (const line of table.lines) on({ type: 'info', message: `       ${line}` });
  for (const notice of [...(procfile?.notices ?? []), ...table.notices]) on({ type: 'notice', ...notice });
  await warnOfMissingProgram(table, root, on);
  return table;
}

/** A web command that begins with a path of the app which is not there cannot start (R121). */
async function warnOfMissingProgram(table: ProcessTable, root: string, on: Listener): Promise<void> {
  const command = table.processes.get('web') ?? '';
  const word = /^(?:exec\s+)?((?:\.\/|[\w.-]+\/)[\w./-]*)(?:\s|$)/.exec(command)?.[1];
  if (word === undefined || word.startsWith('/')) return;
  if ((await lstat(join(root, word)).catch(() => undefined)) !== undefined) return;
  on({
    type: 'notice',
    code: 'WEB_COMMAND_MISSING',
    message: `the web process starts ${word}, and the app has no such file`,
  });
}
