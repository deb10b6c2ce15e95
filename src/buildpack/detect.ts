import { captureHead } from '../system/capture.js';
import { fail } from '../values/error.js';
import { durationText, exitText, signalOf } from './exit-text.js';
import { printable } from './notice.js';
import { redacted } from './redactor.js';
import { type PlacedBuildpack, runScript, type ScriptTools } from './script.js';
import { evidence, makeScriptLog } from './script-log.js';

export interface Detection {
  readonly applies: boolean;
  /** What the buildpack calls itself or the app: the first line of its stdout, else its id (R49). */
  readonly name: string;
  readonly status: number;
  /** Why not, in the buildpack's words. Empty when it said nothing. */
  readonly reason: readonly string[];
}

export interface DetectOptions {
  readonly timeoutMs?: number | undefined;
  /** True to keep back the output of a buildpack that does not apply (auto-detection). */
  readonly quiet?: boolean | undefined;
}

/** A minute: detect only looks at files. */
export const DETECT_TIMEOUT_MS = 60_000;

/**
 * Runs `bin/detect BUILD_DIR` with BUILD_DIR read-only (R47 to R50). Exit 0 means that the buildpack applies, whatever it
 * prints; any other exit that it does not. Throws `DETECT_CRASHED`, `DETECT_TIMEOUT`, `BUILDPACK_INVALID`.
 */
export async function detect(
  buildpack: PlacedBuildpack,
  tools: ScriptTools,
  options: DetectOptions = {},
): Promise<Detection> {
  const timeoutMs = options.timeoutMs ?? DETECT_TIMEOUT_MS;
  const stdout = captureHead(64 * 1024 + 1);
  const about = { step: 'detect', subject: buildpack.id } as const;
  const log = makeScriptLog(about, tools, options.quiet ? undefined : tools.on);
  const exit = await runScript(
    buildpack,
    {
      script: 'bin/detect',
      args: [tools.workspace.buildDir],
      looking: true,
      output: 'split',
      timeoutMs,
      onOutput: (bytes, stream) => (stream === 'stdout' ? stdout.add(bytes) : log.add(bytes, stream)),
    },
    tools,
  );
  log.end();
  const lines = log.last(200);
  const said = linesOf(stdout.bytes(), tools.secrets);
  if (exit.timedOut) throw timedOut(buildpack, timeoutMs, lines);
  if (signalOf(exit) !== undefined || exit.code === undefined) throw crashed(buildpack, exitText(exit), lines);
  const reason = lines.length > 0 ? lines : said;
  return { applies: exit.code === 0, name: said[0] ?? buildpack.id, status: exit.code, reason };
}

/** Like `detect`, for a buildpack that was asked for by name: a refusal ends the build (R51). Throws `DETECT_REFUSED`. */
export async function detectListed(
  buildpack: PlacedBuildpack,
  tools: ScriptTools,
  options: DetectOptions = {},
): Promise<Detection> {
  const detection = await detect(buildpack, tools, options);
  if (detection.applies) return detection;
  throw fail('DETECT_REFUSED', {
    what: `the app is not compatible with buildpack ${buildpack.id}`,
    why: evidence(`its bin/detect ended with exit ${detection.status}:`, detection.reason),
    fix: 'add what the buildpack looks for, or take the buildpack out of the list',
    details: { buildpack: buildpack.id, status: detection.status },
  });
}

function linesOf(bytes: Uint8Array, secrets: readonly Buffer[] = []): readonly string[] {
  const lines = printable(redacted(new TextDecoder().decode(bytes), secrets)).split('\n');
  return lines.map((line) => line.trim().slice(0, 200)).filter((line) => line !== '');
}

function timedOut(buildpack: PlacedBuildpack, timeoutMs: number, lines: readonly string[]) {
  return fail('DETECT_TIMEOUT', {
    what: `bin/detect of ${buildpack.id} did not end within ${durationText(timeoutMs)}`,
    why: evidence('its last lines:', lines),
    fix: "report it to the buildpack's author; bin/detect should only look at files",
    details: { buildpack: buildpack.id, timeoutMs },
  });
}

function crashed(buildpack: PlacedBuildpack, how: string, lines: readonly string[]) {
  return fail('DETECT_CRASHED', {
    what: `bin/detect of ${buildpack.id} crashed (${how})`,
    why: evidence('its last lines:', lines),
    fix: "report it to the buildpack's author; bin/detect should end with exit 0 or 1",
    details: { buildpack: buildpack.id },
  });
}
