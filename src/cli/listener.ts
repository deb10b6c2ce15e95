import type { Event, Listener } from '../values/events.js';
import type { Style } from './style.js';
import { makeTimings, type Timings } from './timings.js';

export interface Output {
  readonly stdout: { write(text: string): unknown };
  readonly stderr: { write(text: string | Uint8Array): unknown };
  readonly style: Style;
}

export interface ListenerOptions {
  readonly json: boolean;
  readonly quiet: boolean;
  readonly verbose: boolean;
}

/** Shows events: to people on stderr, or with `--json` to programs, one object a line on stdout. */
export function makeListener(
  output: Output,
  options: ListenerOptions,
): { readonly on: Listener; readonly timings: Timings } {
  const timings = makeTimings();
  const show = options.json
    ? (event: Event) => output.stdout.write(`${JSON.stringify(eventJson(event))}\n`)
    : forPeople(output, options);
  return {
    timings,
    on: (event) => {
      timings.add(event);
      show(event);
    },
  };
}

function forPeople({ stderr, style }: Output, { quiet, verbose }: ListenerOptions): Listener {
  return (event) => {
    switch (event.type) {
      case 'notice':
        return stderr.write(`${style.yellow('warning')}: ${event.message}\n`);
      case 'reach':
        return event.outcome === 'refused' && !quiet
          ? stderr.write(`${style.yellow('refused')}: the network does not let the build reach ${event.host}\n`)
          : undefined;
      case 'info':
        return quiet ? undefined : stderr.write(`${event.message}\n`);
      case 'output':
        // The log of a bootstrap is for those who ask; what went wrong is in its error.
        return quiet || (event.step === 'base' && !verbose) ? undefined : stderr.write(event.bytes);
      case 'step.start':
        return verbose
          ? stderr.write(`[${event.step}${event.subject === undefined ? '' : ` ${event.subject}`}]\n`)
          : undefined;
      default:
        return undefined;
    }
  };
}

/** Output is text where it is UTF-8, and base64 where it is not or is cut within a character. */
function eventJson(event: Event): object {
  if (event.type !== 'output') return event;
  const { bytes, ...rest } = event;
  try {
    return { ...rest, text: new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes) };
  } catch {
    return { ...rest, base64: Buffer.from(bytes).toString('base64') };
  }
}
