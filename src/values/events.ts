/** The steps a verb reports. A step has a beginning and an end; whoever listens may time them (the library has no clock). */
export type StepName =
  | 'base'
  | 'unpack'
  | 'source'
  | 'buildpacks'
  | 'snapshot'
  | 'detect'
  | 'compile'
  | 'release'
  | 'report'
  | 'layers'
  | 'assemble'
  | 'check'
  | 'write'
  | 'cache'
  | 'rebase'
  | 'start';

/** What a verb tells while it works. Part of the public API and of the `--json` stream. */
export type Event =
  | { readonly type: 'step.start'; readonly step: StepName; readonly subject?: string }
  | { readonly type: 'step.end'; readonly step: StepName; readonly subject?: string; readonly cached?: boolean }
  /** Output of a buildpack's script, byte for byte, in arrival order. */
  | {
      readonly type: 'output';
      readonly step: StepName;
      readonly subject: string;
      readonly stream: 'stdout' | 'stderr';
      readonly bytes: Uint8Array;
    }
  /** What a buildpack's bin/report said, also after a failure. */
  | {
      readonly type: 'report';
      readonly subject: string;
      readonly values: Readonly<Record<string, string | number | boolean | null>>;
    }
  /** A host that a buildpack asked for, once each: by name, or of the proxy of `allow=`. */
  | { readonly type: 'reach'; readonly host: string; readonly outcome: 'named' | 'allowed' | 'refused' }
  /** A line of pack-build's own log. */
  | { readonly type: 'info'; readonly message: string }
  /** Something that did not stop the work and that the user should know. */
  | { readonly type: 'notice'; readonly code: string; readonly message: string };

/** Receives events. Must not throw. */
export type Listener = (event: Event) => void;

/** Runs one step between its two events. */
export async function step<T>(
  on: Listener,
  name: StepName,
  subject: string | undefined,
  work: () => Promise<T>,
): Promise<T> {
  const about = subject === undefined ? {} : { subject };
  on({ type: 'step.start', step: name, ...about });
  try {
    return await work();
  } finally {
    on({ type: 'step.end', step: name, ...about });
  }
}
