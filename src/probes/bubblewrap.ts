import { bubblewrap } from '../sandbox/bubblewrap.js';
import { findProgram } from '../system/tools.js';
import { isFailure } from '../values/error.js';
import { type Finding, fine, missing } from '../values/finding.js';
import { PROBE_MS, type ProbeOptions } from './attempt.js';
import { askVersion } from './version.js';

const NAME = 'bubblewrap';
const FIX = 'see what bwrap says above; or use --sandbox host if you trust the app and its buildpacks';

/** Starts a program in the sandbox that scripts of buildpacks get, over this machine's own root, and looks at its rights there. */
export async function probeBubblewrap(options: ProbeOptions): Promise<Finding> {
  try {
    const status = await statusInside(options);
    const version = (await askVersion('bwrap', options))?.says ?? '';
    const rights = status['CapEff'] === '0000000000000000' && status['NoNewPrivs'] === '1';
    const details = { version, seccomp: status['Seccomp'] ?? null, capabilities: status['CapEff'] ?? null };
    if (!rights)
      return missing(
        NAME,
        'SANDBOX_FAILED',
        `${version}, whose sandboxes keep rights that they should not`,
        FIX,
        details,
      );
    return fine(NAME, `${version}; a sandbox starts, without rights and without user namespaces of its own`, details);
  } catch (error) {
    if (!isFailure(error) || error.code === 'INTERRUPTED') throw error;
    const found = [error.message, error.why].filter(Boolean).join(': ');
    return missing(NAME, error.code, found, error.fix ?? FIX, error.details);
  }
}

async function statusInside({ env, signal }: ProbeOptions): Promise<Readonly<Record<string, string>>> {
  const cat = (await findProgram('cat', undefined)) ?? '/bin/cat';
  const chunks: Uint8Array[] = [];
  await bubblewrap({ env, hostFiles: [] }).run({
    root: '/',
    mounts: [],
    argv: [cat, '/proc/self/status'],
    cwd: '/',
    env: {},
    network: 'host',
    output: 'split',
    onOutput: (chunk, stream) => void (stream === 'stdout' && chunks.push(chunk)),
    timeoutMs: PROBE_MS,
    signal,
  });
  return statusFields(Buffer.concat(chunks).toString());
}

/** The fields of `/proc/PID/status`. */
export function statusFields(text: string): Readonly<Record<string, string>> {
  const pairs = text.split('\n').map((line) => line.split(':\t'));
  return Object.fromEntries(pairs.map(([name = '', value = '']) => [name, value.trim()]));
}
