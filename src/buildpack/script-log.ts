import type { Listener, StepName } from '../values/events.js';
import { formatSize } from '../values/size.js';
import { linesText } from './exit-text.js';
import { makeOutputTail } from './output-tail.js';
import { makeRedactor } from './redactor.js';
import { unreachableHosts } from './unreachable.js';

/** What of a script's output may be shown. */
export interface LogRules {
  /** These are taken out of it (R122). */
  readonly secrets?: readonly Buffer[] | undefined;
  /** At most this many bytes of one script are passed on (R32). */
  readonly logBytes?: number | undefined;
}

/** The output of one script: passed on as it comes, and kept as evidence. */
export interface ScriptLog {
  readonly add: (bytes: Uint8Array, stream: 'stdout' | 'stderr') => void;
  /** Passes on what was held back. To be called when the script has ended. */
  readonly end: () => void;
  readonly last: (count: number) => readonly string[];
}

/** Makes the log of a script. Without `on` it is kept and not passed on. */
export function makeScriptLog(
  about: { readonly step: StepName; readonly subject: string },
  { secrets = [], logBytes = Number.POSITIVE_INFINITY }: LogRules,
  on: Listener = () => undefined,
): ScriptLog {
  const tail = makeOutputTail();
  const redactor = makeRedactor(secrets);
  let left = logBytes;
  let cut = false;
  let latest: 'stdout' | 'stderr' = 'stdout';
  const show = (bytes: Uint8Array) => {
    tail.push(bytes);
    const shown = bytes.length > left ? bytes.subarray(0, left) : bytes;
    if (shown.length > 0) on({ type: 'output', ...about, stream: latest, bytes: shown });
    left -= shown.length;
    if (shown.length === bytes.length || cut) return;
    cut = true;
    on({ type: 'notice', ...cutNotice(about, logBytes) });
  };
  return {
    add: (bytes, stream) => {
      latest = stream;
      show(redactor.push(bytes));
    },
    end: () => show(redactor.end()),
    last: tail.last,
  };
}

/**
 * A script's output as evidence of its failure: the hosts that it could not reach (R124), Windows line endings that it
 * stumbled over (R8), and its last lines.
 */
export function evidence(heading: string, lines: readonly string[]): string {
  return [...unreachedText(lines), ...windowsText(lines), linesText(heading, lines.slice(-20))].join('\n');
}

function unreachedText(lines: readonly string[]): readonly string[] {
  const hosts = unreachableHosts(lines);
  return hosts.length === 0 ? [] : [`the buildpack tried to reach ${hosts.join(', ')}, and could not`];
}

/** The script itself was looked at before it ran (`checkScript`): it is a file that it reads, of the buildpack or the app. */
function windowsText(lines: readonly string[]): readonly string[] {
  if (!lines.some((line) => STUMBLED.test(line))) return [];
  return ["a file that it reads has Windows line endings, which sed -i 's/\\r$//' FILE takes away"];
}

/** How shells and programs quote a word of such a file's line: `$'\r': command not found`, `pipefail\r: invalid`. */
const STUMBLED = /\\r(?::|'[:'])/;

function cutNotice({ step, subject }: { readonly step: StepName; readonly subject: string }, limit: number) {
  return {
    code: 'LOG_CUT',
    message: `bin/${step} of ${subject} printed more than ${formatSize(limit)}: the rest of its output is not shown`,
  };
}
