import { captureHead } from '../system/capture.js';
import { isFailure } from '../values/error.js';
import { redacted } from './redactor.js';
import { hasScript } from './release.js';
import { parseReport, type Report } from './report-document.js';
import { type PlacedBuildpack, runScript, type ScriptTools } from './script.js';
import { INSIDE } from './workspace.js';

/**
 * Runs `bin/report BUILD_DIR CACHE_DIR ENV_DIR` (R90), after builds that succeeded and that failed, while CACHE_DIR is
 * still there. What goes wrong in it gives undefined and is shown to nobody. Throws only `INTERRUPTED`.
 */
export async function report(
  buildpack: PlacedBuildpack,
  tools: ScriptTools,
  options: { readonly timeoutMs?: number | undefined } = {},
): Promise<Report | undefined> {
  if (!(await hasScript(buildpack, 'bin/report', tools))) return undefined;
  const stdout = captureHead(64 * 1024 + 1);
  try {
    const exit = await runScript(
      buildpack,
      {
        script: 'bin/report',
        args: [tools.workspace.buildDir, INSIDE.cacheDir, INSIDE.envDir],
        looking: true,
        output: 'split',
        timeoutMs: options.timeoutMs ?? 60_000,
        onOutput: (bytes, stream) => (stream === 'stdout' ? stdout.add(bytes) : undefined),
      },
      tools,
    );
    return exit.code === 0 ? parseReport(redactedBytes(stdout.bytes(), tools)) : undefined;
  } catch (error) {
    if (isFailure(error, 'INTERRUPTED')) throw error;
    return undefined;
  }
}

function redactedBytes(bytes: Uint8Array, { secrets = [] }: ScriptTools): Uint8Array {
  return secrets.length === 0 ? bytes : Buffer.from(redacted(Buffer.from(bytes).toString(), secrets));
}
