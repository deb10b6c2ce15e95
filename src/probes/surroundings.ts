import { access, constants, readFile } from 'node:fs/promises';
import { secureWith } from '../http/certificates.js';
import { proxyFor } from '../http/proxy.js';
import { caBundle, caVariables } from '../sandbox/host-files.js';
import { packageFile } from '../system/own-files.js';
import { isAtLeast } from '../system/tools.js';
import { isFailure } from '../values/error.js';
import { doubtful, type Finding, fine, missing } from '../values/finding.js';
import { asString, member, parseJson } from '../values/json.js';

type Env = Readonly<Record<string, string>>;

/** Whether this release of Node, such as `v22.1.0`, is one that pack-build is made for. */
export async function probeNode(version: string): Promise<Finding> {
  const root = parseJson(await readFile(packageFile('package.json')), 'package.json', 'INTERNAL');
  const needed = asString(member(member(root, 'engines'), 'node')).replace('>=', '');
  if (await isAtLeast(version, needed)) return fine('node', version, { version, needed });
  const found = `${version}, but ${needed} or newer is needed`;
  return missing('node', 'USAGE', found, `install Node ${needed} or newer`, { version, needed });
}

/** Any address: which proxy is in force for all that no_proxy does not name. */
const SOMEWHERE = new URL('https://registry.invalid/');

/** Which proxy registries are asked through. Neither its user nor its password is told. */
export function probeProxy(env: Env): Finding {
  const name = 'proxy';
  try {
    const proxy = proxyFor(SOMEWHERE, env);
    if (proxy === undefined) return fine(name, 'none', { proxy: null });
    const except = env['no_proxy'] || env['NO_PROXY'] || '';
    const address = `${proxy.protocol}//${proxy.host}`;
    return fine(name, `${address}${except === '' ? '' : `, but not for ${except}`}`, { proxy: address, except });
  } catch (error) {
    if (!isFailure(error)) throw error;
    return doubtful(name, `${error.message}: ${error.why ?? ''}`, error.fix ?? 'unset https_proxy');
  }
}

/** Which authorities registries are believed by, and which bundle of them a build sees. */
export async function probeAuthorities(env: Env, authorities: readonly string[] = []): Promise<Finding> {
  const name = 'authorities';
  try {
    await secureWith({ env, authorities })(SOMEWHERE.host);
  } catch (error) {
    if (!isFailure(error)) throw error;
    return missing(name, undefined, `${error.message}: ${error.why ?? ''}`, error.fix ?? 'name a PEM file');
  }
  const bundle = await caBundle(env);
  const named = [...authorities, ...(env['NODE_EXTRA_CA_CERTS'] ? [env['NODE_EXTRA_CA_CERTS']] : [])];
  const found = `registries: ${['those of Node', ...named].join(', ')}; builds: ${bundle ?? 'none'}`;
  const details = { named, bundle: bundle ?? null };
  const [lost] = await unreadable(env);
  if (lost !== undefined)
    return doubtful(
      name,
      `${found}; ${lost} names a file that cannot be read`,
      `correct ${lost}, or unset it`,
      details,
    );
  if (bundle !== undefined) return fine(name, found, details);
  return doubtful(name, found, 'apt-get install ca-certificates, or name a bundle in SSL_CERT_FILE', details);
}

/** The variables that name a bundle which is not there for us. */
async function unreadable(env: Env): Promise<readonly string[]> {
  const lost: string[] = [];
  for (const variable of Object.keys(caVariables(env))) {
    const path = env[variable];
    if (path) await access(path, constants.R_OK).catch(() => lost.push(variable));
  }
  return lost;
}
