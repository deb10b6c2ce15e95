import type { Registries } from '../registry/access.js';
import type { Login } from '../registry/logins.js';
import { findProgram } from '../system/tools.js';
import { isFailure } from '../values/error.js';
import { doubtful, type Finding, fine, missing } from '../values/finding.js';
import type { Tools } from './tools.js';

/** Where credentials are for each registry that is known, without any secret. Those of `hosts` are asked whether they let us in. */
export async function probeRegistries(
  hosts: readonly string[],
  { registries, env }: Tools,
): Promise<readonly Finding[]> {
  if (registries === undefined) return [];
  const findings: Finding[] = [];
  try {
    for (const login of await registries.logins(hosts)) {
      findings.push(login.isAsked ? await askRegistry(login, registries) : await probeLogin(login, env['PATH']));
    }
  } catch (error) {
    if (!isFailure(error, 'REGISTRY_CREDENTIALS')) throw error;
    findings.push(
      missing(
        'credentials',
        hosts.length > 0 ? error.code : undefined,
        [error.message, error.why].filter(Boolean).join(': '),
        error.fix ?? 'docker login',
      ),
    );
  }
  return findings;
}

async function askRegistry(login: Login, registries: Registries): Promise<Finding> {
  const name = `registry ${login.registry}`;
  const details = detailsOf(login);
  try {
    await registries.ping(login.registry);
    return fine(name, `it answers, and lets us in; ${placeOf(login)}`, details);
  } catch (error) {
    if (!isFailure(error) || error.code === 'INTERRUPTED') throw error;
    const found = [error.message, error.why?.replaceAll('\n', '; ')].filter(Boolean).join(': ');
    const fix =
      error.fix ??
      'check the name, and whether this machine may reach it (https_proxy, --ca-cert, --insecure-registry)';
    return missing(name, error.code, `${found}; ${placeOf(login)}`, fix, details);
  }
}

/** Looks whether the program that keeps the secrets is there; it is not started, for it may ask others in turn. */
async function probeLogin(login: Login, path: string | undefined): Promise<Finding> {
  const name = `registry ${login.registry}`;
  const helper = login.place?.helper;
  if (helper === undefined || (await findProgram(helper, path)) !== undefined)
    return fine(name, placeOf(login), detailsOf(login));
  const fix = `install ${helper}, or take it out of ${login.place?.file} and log in again`;
  return doubtful(name, `${placeOf(login)}, which is not installed`, fix, detailsOf(login));
}

function placeOf({ place }: Login): string {
  if (place === undefined) return 'no credentials';
  const { file, source, helper } = place;
  return `credentials: ${source} of ${file}${helper === undefined ? '' : `, by ${helper}`}`;
}

function detailsOf({ registry, place }: Login): Finding['details'] {
  return { registry, source: place?.source ?? 'none', file: place?.file ?? null, helper: place?.helper ?? null };
}
