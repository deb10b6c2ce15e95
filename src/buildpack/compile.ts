import type { Exit } from '../sandbox/sandbox.js';
import { fail } from '../values/error.js';
import { durationText, exitText, signalOf } from './exit-text.js';
import { buildDirLost } from './keep-directories.js';
import { type PlacedBuildpack, runScript, type ScriptTools } from './script.js';
import { evidence, makeScriptLog } from './script-log.js';
import { unreachableHosts } from './unreachable.js';
import { INSIDE, type Workspace } from './workspace.js';

/** Heroku's `COMPILE_TIMEOUT` (R32). */
export const COMPILE_TIMEOUT_MS = 15 * 60_000;

/**
 * Runs `bin/compile BUILD_DIR CACHE_DIR ENV_DIR` (R53), its two outputs as one (R54). Throws `COMPILE_FAILED`,
 * `COMPILE_CRASHED`, `COMPILE_TIMEOUT` with the last lines of output, `BUILD_DIR_LOST`, `BUILDPACK_INVALID`.
 */
export async function compile(
  buildpack: PlacedBuildpack,
  tools: ScriptTools,
  options: { readonly timeoutMs?: number | undefined } = {},
): Promise<void> {
  const timeoutMs = options.timeoutMs ?? COMPILE_TIMEOUT_MS;
  const log = makeScriptLog({ step: 'compile', subject: buildpack.id }, tools, tools.on);
  const exit = await runScript(
    buildpack,
    {
      script: 'bin/compile',
      args: [tools.workspace.buildDir, INSIDE.cacheDir, INSIDE.envDir],
      looking: false,
      output: 'merged',
      timeoutMs,
      onOutput: log.add,
    },
    tools,
  );
  log.end();
  const lines = log.last(200);
  if (exit.timedOut) throw timedOut(buildpack, timeoutMs, lines);
  if (exit.code !== 0)
    throw signalOf(exit) === undefined ? failed(buildpack, exit, lines, tools) : crashed(buildpack, exit, lines);
  await requireBuildDir(tools.workspace, buildpack);
}

async function requireBuildDir(workspace: Workspace, buildpack: PlacedBuildpack): Promise<void> {
  const found = await buildDirLost(workspace);
  if (found === undefined) return;
  throw fail('BUILD_DIR_LOST', {
    what: `${buildpack.id} left no build directory behind`,
    why: `bin/compile succeeded, and then there was ${found} at ${workspace.buildDir}`,
    fix: "report it to the buildpack's author; the app must be in the directory that bin/compile gets as its first argument",
    details: { buildpack: buildpack.id },
  });
}

function failed(buildpack: PlacedBuildpack, exit: Exit, lines: readonly string[], tools: ScriptTools) {
  const hosts = unreachableHosts(lines);
  return fail('COMPILE_FAILED', {
    what: `${buildpack.id} stopped the build in bin/compile (${exitText(exit)})`,
    why: evidence("this is the buildpack's verdict on the app; its last lines:", lines),
    fix: `follow the buildpack's message above${mountHint(lines, tools.workspace)}${networkHint(hosts, tools.network)}`,
    details: { buildpack: buildpack.id, status: exit.code ?? null, ...(hosts.length === 0 ? {} : { hosts }) },
  });
}

/** "rm: cannot remove '/app': Read-only file system": a mount point can be emptied, not removed. */
function mountHint(lines: readonly string[], { buildDir }: Workspace): string {
  const removed = lines.some((line) => /'\/app': (?:Read-only file system|Device or resource busy)/.test(line));
  return buildDir === INSIDE.app && removed
    ? '; it removes BUILD_DIR, which it cannot where that is /app: build without --build-dir /app'
    : '';
}

function networkHint(hosts: readonly string[], network: ScriptTools['network']): string {
  if (network === 'none') return '; it ran without a network (--network egress gives it one)';
  return hosts.length === 0 ? '' : '; see whether this machine reaches that host, or name a proxy with --build-env';
}

function crashed(buildpack: PlacedBuildpack, exit: Exit, lines: readonly string[]) {
  const memory = signalOf(exit) === 'SIGKILL' ? 'a program is often killed so when memory runs out\n' : '';
  return fail('COMPILE_CRASHED', {
    what: `bin/compile of ${buildpack.id} or a program it ran was killed (${exitText(exit)})`,
    why: memory + evidence('its last lines:', lines),
    ...(memory === '' ? {} : { fix: 'build with more memory' }),
    details: { buildpack: buildpack.id, signal: signalOf(exit) ?? null },
  });
}

function timedOut(buildpack: PlacedBuildpack, timeoutMs: number, lines: readonly string[]) {
  return fail('COMPILE_TIMEOUT', {
    what: `bin/compile of ${buildpack.id} did not end within ${durationText(timeoutMs)} and was stopped`,
    why: evidence('its last lines:', lines),
    fix: 'find what it waits for, or give it more time with --compile-timeout, in seconds',
    details: { buildpack: buildpack.id, timeoutMs },
  });
}
