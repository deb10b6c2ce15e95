import type { ReachOptions } from '../http/options.js';
import type { HttpTuning } from '../http/tuning.js';
import type { Listener } from '../values/events.js';

/** How registries are reached, and as whom. */
export interface RegistryOptions extends ReachOptions {
  /** Where HOME, DOCKER_CONFIG, XDG_RUNTIME_DIR, XDG_CONFIG_HOME, REGISTRY_AUTH_FILE, proxies and the PATH of credential helpers are found. */
  readonly env: Readonly<Record<string, string>>;
  /** The only file with credentials to look into. */
  readonly authFile?: string | undefined;
  /** `HOST[:PORT]` of registries that speak plain HTTP. */
  readonly insecure?: readonly string[] | undefined;
  /** Registries that have copies, by the host that they stand in for; they are asked first. */
  readonly mirrors?: Readonly<Record<string, readonly string[]>> | undefined;
  readonly on?: Listener | undefined;
  readonly tuning?: Partial<Tuning> | undefined;
}

export interface Tuning extends HttpTuning {
  /** How much of a blob is sent in one request, once it is sent in pieces; in bytes. */
  readonly chunkSize: number;
  /** How long a quick look at a tag may take. */
  readonly quickMs: number;
}
