import { probeBubblewrap } from './probes/bubblewrap.js';
import { probeCacheDirectory } from './probes/cache-directory.js';
import { probeCgroups } from './probes/cgroups.js';
import { probePrograms } from './probes/programs.js';
import { probeSeccomp } from './probes/seccomp.js';
import { probeAuthorities, probeNode, probeProxy } from './probes/surroundings.js';
import { probeUserNamespaces } from './probes/user-namespaces.js';
import { explained } from './steps/explain.js';
import { probeMmdebstrap } from './steps/probe-mmdebstrap.js';
import { probeRegistries } from './steps/probe-registries.js';
import { type GivenTools, settleTools } from './steps/tools.js';
import type { ErrorCode } from './values/error.js';
import type { Finding } from './values/finding.js';

export interface DoctorRequest {
  readonly cacheDir: string;
  /** The release of Node to judge, as `process.version` has it. */
  readonly node: string;
  /** `HOST[:PORT]` of registries to ask, once; without any, nothing goes over the network. */
  readonly registries?: readonly string[] | undefined;
  /** Files with authorities that are to be trusted (`RegistryOptions.authorities`). */
  readonly authorities?: readonly string[] | undefined;
}

export interface DoctorResult {
  /** Whether a build without any flags finds what it needs, and the named registries let us in. */
  readonly ok: boolean;
  /** The error that such a build would end with. */
  readonly code?: ErrorCode | undefined;
  readonly checks: readonly Finding[];
}

/**
 * Tells what this machine can do, and what to do about what it cannot. Each answer was tried out, where that is possible, and
 * what was made for it is gone again. Throws `REFERENCE_INVALID` and `INTERRUPTED`; what is missing is no error here.
 */
export async function doctor(request: DoctorRequest, givenTools: GivenTools): Promise<DoctorResult> {
  const tools = settleTools(givenTools);
  return explained(tools.signal, async () => {
    const { env } = tools;
    const checks = [
      await probeNode(request.node),
      await probeUserNamespaces(tools),
      await probeBubblewrap(tools),
      await probeSeccomp(tools),
      await probeCgroups(),
      await probeCacheDirectory(request.cacheDir),
      await probeMmdebstrap(tools),
      ...(await probePrograms(tools)),
      probeProxy(env),
      await probeAuthorities(env, request.authorities),
      ...(await probeRegistries(request.registries ?? [], tools)),
    ];
    const code = checks.find((check) => check.code !== undefined)?.code;
    return { ok: code === undefined, code, checks };
  });
}
