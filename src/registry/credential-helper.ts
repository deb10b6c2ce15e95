import { visible } from '../http/network-failure.js';
import { runProcess } from '../system/process.js';
import { fail, isFailure } from '../values/error.js';
import { asString, member, optional, parseJson } from '../values/json.js';
import type { CredentialOptions, Credentials } from './credentials.js';

const TIMEOUT_MS = 30_000;
const MAX_ANSWER = 64 * 1024;

/**
 * Asks a credential helper of Docker's for the secrets of a server: `docker-credential-NAME get`, the server on its stdin,
 * JSON on its stdout. Undefined when it has none. Throws `REGISTRY_CREDENTIALS`.
 */
export async function askHelper(
  name: string,
  server: string,
  { env, signal }: CredentialOptions,
): Promise<Credentials | undefined> {
  const program = `docker-credential-${name}`;
  if (!/^[A-Za-z0-9_][A-Za-z0-9._-]*$/.test(name))
    throw failed(JSON.stringify(name), 'that is not the name of a helper');
  const request = {
    file: program,
    args: ['get'],
    env,
    stdin: server,
    timeoutMs: TIMEOUT_MS,
    maxCapture: MAX_ANSWER,
    signal,
  };
  const result = await runProcess(request).catch((error: unknown) => {
    if (isFailure(error, 'TOOL_MISSING', 'TOOL_FAILED')) throw failed(program, error.message);
    throw error;
  });
  if (result.timedOut) throw failed(program, `it did not answer within ${TIMEOUT_MS / 1000} seconds`);
  const said = Buffer.from(result.stdout).toString();
  if (result.code !== 0) {
    // By their protocol, helpers say on stdout what went wrong.
    if (/credentials not found/i.test(said)) return undefined;
    const words = said.trim().startsWith('{') ? '' : `: ${visible(said)}`;
    throw failed(program, `it ended with exit ${result.code ?? result.killedBy}${words}`);
  }
  if (result.truncated) throw failed(program, `it printed more than ${MAX_ANSWER} bytes`);
  return credentialsIn(result.stdout, program);
}

function credentialsIn(bytes: Uint8Array, program: string): Credentials | undefined {
  try {
    const root = parseJson(bytes, program, 'REGISTRY_CREDENTIALS');
    const user = optional(member(root, 'Username'), asString) ?? '';
    const secret = optional(member(root, 'Secret'), asString) ?? '';
    if (secret === '') return undefined;
    return user === '<token>' ? { kind: 'identity', token: secret } : { kind: 'password', user, password: secret };
  } catch {
    throw failed(program, 'what it printed is not the JSON that is expected');
  }
}

function failed(program: string, why: string) {
  return fail('REGISTRY_CREDENTIALS', {
    what: `the credential helper ${program} gave no credentials`,
    why,
    fix: 'run it by hand, or take it out of the file that names it and log in again',
    details: { program },
  });
}
