import { lstat } from 'node:fs/promises';
import { captureHead } from '../system/capture.js';
import { fail, isFailure } from '../values/error.js';
import { durationText, exitText } from './exit-text.js';
import { redacted } from './redactor.js';
import { MAX_RELEASE_BYTES, parseRelease, type Release } from './release-document.js';
import { type PlacedBuildpack, runScript, type ScriptTools } from './script.js';
import { evidence, makeScriptLog } from './script-log.js';
import { hostPath } from './workspace.js';

/** A minute: release only prints. */
export const RELEASE_TIMEOUT_MS = 60_000;

/**
 * Runs `bin/release BUILD_DIR` with BUILD_DIR read-only, after all compiles (R76, R78). Exports are not in force, so give
 * it the plain build environment (R65). Undefined when the buildpack has no bin/release. Throws `RELEASE_FAILED`,
 * `RELEASE_MALFORMED`, `BUILDPACK_INVALID`.
 */
export async function release(
  buildpack: PlacedBuildpack,
  tools: ScriptTools,
  options: { readonly timeoutMs?: number | undefined } = {},
): Promise<Release | undefined> {
  if (!(await hasScript(buildpack, 'bin/release', tools))) return undefined;
  const timeoutMs = options.timeoutMs ?? RELEASE_TIMEOUT_MS;
  const stdout = captureHead(MAX_RELEASE_BYTES + 1);
  const log = makeScriptLog({ step: 'release', subject: buildpack.id }, tools, tools.on);
  const exit = await runScript(
    buildpack,
    {
      script: 'bin/release',
      args: [tools.workspace.buildDir],
      looking: true,
      output: 'split',
      timeoutMs,
      onOutput: (bytes, stream) => (stream === 'stdout' ? stdout.add(bytes) : log.add(bytes, stream)),
    },
    tools,
  );
  log.end();
  const how = exit.timedOut ? `did not end within ${durationText(timeoutMs)}` : `failed (${exitText(exit)})`;
  if (exit.timedOut || exit.code !== 0) {
    throw fail('RELEASE_FAILED', {
      what: `bin/release of ${buildpack.id} ${how}`,
      why: evidence('its last lines:', log.last(200)),
      fix: "report it to the buildpack's author",
      details: { buildpack: buildpack.id, status: exit.code ?? null },
    });
  }
  return parse(stdout.bytes(), buildpack, tools);
}

/** What the release says is data, and stays as it is; an error that quotes it is not. */
function parse(bytes: Uint8Array, buildpack: PlacedBuildpack, { secrets = [] }: ScriptTools): Release {
  try {
    return parseRelease(bytes, buildpack.id);
  } catch (error) {
    if (secrets.length === 0 || !isFailure(error)) throw error;
    const { code, message, why = '', fix, details } = error;
    throw fail(code, { what: redacted(message, secrets), why: redacted(why, secrets), fix, details });
  }
}

/** True when the buildpack brings this optional script (R1). */
export async function hasScript(
  buildpack: PlacedBuildpack,
  script: string,
  tools: Pick<ScriptTools, 'workspace'>,
): Promise<boolean> {
  const stat = await lstat(hostPath(tools.workspace, `${buildpack.dir}/${script}`)).catch(() => undefined);
  return stat?.isFile() === true || stat?.isSymbolicLink() === true;
}
