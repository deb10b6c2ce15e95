import { readFile, stat } from 'node:fs/promises';
import { parse } from 'smol-toml';
import { MAX_POLICY_BYTES, parsePolicyJson, policyOf, requireShort } from '../policy/parse-policy.js';
import type { Policy } from '../policy/policy.js';
import { PRESETS, presetNamed } from '../policy/presets.js';
import { fail, type Json } from '../values/error.js';

/**
 * The policy that a user names: a preset, or a file of JSON, or of TOML if its name ends in `.toml`. A preset's name is never
 * a file: whoever writes to the working directory cannot replace one. Throws `POLICY_INVALID`.
 */
export async function readPolicy(name: string): Promise<Policy> {
  const preset = presetNamed(name);
  if (preset !== undefined) return preset;
  const bytes = await readBounded(name);
  return name.endsWith('.toml') ? parsePolicyToml(bytes, name) : parsePolicyJson(bytes, name);
}

async function readBounded(file: string): Promise<Uint8Array> {
  try {
    const found = await stat(file);
    if (!found.isFile()) throw notRead(file, 'it is no file');
    if (found.size > MAX_POLICY_BYTES) return requireShort(new Uint8Array(MAX_POLICY_BYTES + 1), file);
    return await readFile(file);
  } catch (error) {
    if (error instanceof Error && 'errno' in error) throw notRead(file, error.message);
    throw error;
  }
}

function notRead(file: string, why: string) {
  return fail('POLICY_INVALID', {
    what: `the policy ${JSON.stringify(file)} cannot be read`,
    why,
    fix: `name a file, or one of ${Object.keys(PRESETS).join(', ')}`,
  });
}

/** Reads a policy of TOML text. Throws `POLICY_INVALID`. */
export function parsePolicyToml(bytes: Uint8Array, name: string): Policy {
  requireShort(bytes, name);
  return policyOf({ value: tomlOf(bytes, name), at: name, code: 'POLICY_INVALID' });
}

function tomlOf(bytes: Uint8Array, name: string): Json {
  try {
    return parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes), { maxDepth: 64 }) as unknown as Json;
  } catch (cause) {
    const why = cause instanceof Error ? cause.message.trim() : undefined;
    throw fail('POLICY_INVALID', { what: `${name} is not TOML`, why, cause });
  }
}
