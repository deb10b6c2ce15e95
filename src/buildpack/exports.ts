import { lstat } from 'node:fs/promises';
import { captureHead } from '../system/capture.js';
import { fail } from '../values/error.js';
import { durationText, linesText } from './exit-text.js';
import type { PlacedBuildpack, ScriptTools } from './script.js';
import { makeScriptLog } from './script-log.js';
import { hostPath, type Workspace } from './workspace.js';

const MAX_ENV_BYTES = 2 * 1024 * 1024;
const TIMEOUT_MS = 30_000;

/**
 * The environment for detect and compile of buildpack `next`: `tools.env` with the `export` files of the buildpacks
 * before it sourced over it, in order, by one bash inside the sandbox (R60 to R65). Give it the platform's environment
 * each time, not an earlier result. Throws `EXPORT_INVALID`.
 */
export async function environmentWithExports(
  earlier: readonly PlacedBuildpack[],
  next: PlacedBuildpack,
  tools: ScriptTools,
): Promise<Readonly<Record<string, string>>> {
  const exporting: PlacedBuildpack[] = [];
  for (const buildpack of earlier) if (await hasExport(buildpack, tools.workspace)) exporting.push(buildpack);
  if (exporting.length === 0) return tools.env;
  const { sandbox, workspace } = tools;
  const named = (inside: string) => sandbox.pathOf(inside, workspace.mounts);
  const stdout = captureHead(MAX_ENV_BYTES + 1);
  const log = makeScriptLog({ step: 'compile', subject: next.id }, tools);
  const exit = await sandbox.run({
    root: workspace.root,
    mounts: workspace.mounts,
    argv: ['/bin/bash', '--noprofile', '--norc', '-c', programFor(exporting.map(({ dir }) => named(`${dir}/export`)))],
    cwd: next.dir,
    env: tools.env,
    network: tools.network,
    user: tools.user,
    output: 'split',
    onOutput: (bytes, stream) => (stream === 'stdout' ? stdout : log).add(bytes, stream),
    timeoutMs: TIMEOUT_MS,
    signal: tools.signal,
  });
  log.end();
  const records = new TextDecoder().decode(stdout.bytes()).split('\0');
  const sourced = records.filter((record) => /^\d+$/.test(record)).length;
  const culprit = exporting[sourced];
  if (exit.timedOut) throw invalid(culprit, `it did not end within ${durationText(TIMEOUT_MS)}`);
  if (culprit !== undefined)
    throw invalid(culprit, linesText('it holds a syntax error, or ended the shell that read it:', log.last(10)));
  if (exit.code !== 0 || stdout.truncated())
    throw invalid(exporting.at(-1), linesText('the environment that it makes is unusable:', log.last(10)));
  return parseEnv(
    records.filter((record) => record.includes('=')),
    tools.env,
  );
}

/**
 * Reads each file at the top level, not in a function, where `declare -x` would make a local (R61). What a file prints
 * goes to stderr, so that descriptor 3 carries only marks and the environment. A file's status does not count, but bash
 * reports a syntax error by a status too; a second look tells them apart. `||` suspends a `set -e` of the file itself.
 */
function programFor(files: readonly string[]): string {
  const lines = files.flatMap((file, index) => [
    `source ${shellWord(file)} </dev/null || /bin/bash -O extglob -n ${shellWord(file)} || exit 1`,
    'set +eu',
    `builtin printf '${index}\\0' >&3`,
  ]);
  return ['exec 3>&1 1>&2', ...lines, 'exec /usr/bin/env -0 >&3'].join('\n');
}

async function hasExport(buildpack: PlacedBuildpack, workspace: Workspace): Promise<boolean> {
  const stat = await lstat(hostPath(workspace, `${buildpack.dir}/export`)).catch(() => undefined);
  return stat?.isFile() === true;
}

/** What bash sets by itself is not an export (R64). */
function parseEnv(
  records: readonly string[],
  before: Readonly<Record<string, string>>,
): Readonly<Record<string, string>> {
  const entries = records.map(
    (record) => [record.slice(0, record.indexOf('=')), record.slice(record.indexOf('=') + 1)] as const,
  );
  return Object.fromEntries(entries.filter(([name]) => !OWN.has(name) || Object.hasOwn(before, name)));
}

const OWN = new Set(['_', 'SHLVL', 'PWD', 'OLDPWD']);

function shellWord(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}

function invalid(buildpack: PlacedBuildpack | undefined, why: string) {
  return fail('EXPORT_INVALID', {
    what: `the export file of ${buildpack?.id ?? 'a buildpack'} cannot be used`,
    why,
    fix: "report it to the buildpack's author; export must be a bash file that sets variables and does not exit",
    details: { buildpack: buildpack?.id ?? null },
  });
}
