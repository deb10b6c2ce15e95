/** What bwrap reports while it runs (bwrap(1), `--json-status-fd`). */
export interface BwrapStatus {
  readonly add: (chunk: Uint8Array) => void;
  /** The sandbox's first process, by its id on the host. Known when the whole report has come, which bwrap writes in pieces. */
  childPid(): number | undefined;
  /** Absent when the program was not started. */
  exitCode(): number | undefined;
}

/** Collects the reports, of which there is one JSON document a line. */
export function readBwrapStatus(): BwrapStatus {
  let text = '';
  const number = (name: string) => {
    const digits = new RegExp(`"${name}":(\\d+)[^}]*}\\n`).exec(text)?.[1];
    return digits === undefined ? undefined : Number(digits);
  };
  return {
    add: (chunk) => {
      text += Buffer.from(chunk).toString('latin1').replaceAll(' ', '');
    },
    childPid: () => number('child-pid'),
    exitCode: () => number('exit-code'),
  };
}
