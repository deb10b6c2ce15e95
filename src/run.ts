import type { FoundImage } from './blobs/images.js';
import { unionOf } from './blobs/union.js';
import { blobsIn, type Cache } from './cache/cache.js';
import { type Image, labelsOf } from './oci/image.js';
import { rebaseImage } from './oci/rebase.js';
import { RECORD_LABEL } from './oci/record.js';
import type { Exit } from './sandbox/sandbox.js';
import { inCache } from './steps/in-cache.js';
import { openSource } from './steps/open-place.js';
import { readPlace } from './steps/read-place.js';
import { resolveBase } from './steps/resolve-base.js';
import { startImage } from './steps/start-image.js';
import { type GivenTools, settleTools, type Tools } from './steps/tools.js';
import { type WithDefaults, withDefaults } from './values/defaults.js';
import { fail } from './values/error.js';
import type { Platform } from './values/platform.js';

/** Which image to start, and how. */
export interface RunRequest {
  /** A place (`oci:DIR:TAG`). */
  readonly image: string;
  /** Another base than the image's own, as a place. */
  readonly base?: string | undefined;
  /** What the launcher gets: nothing for the default process, a process type, or a command. Nothing if absent. */
  readonly args?: readonly string[] | undefined;
  /** Over the image's own environment. */
  readonly env?: Readonly<Record<string, string>> | undefined;
  readonly platform: Platform;
  /** What network the process has; the host's if absent. */
  readonly network?: 'host' | 'none' | undefined;
  readonly cacheDir: string;
  /** `inherit` gives the app this process's terminal; `events`, the default, sends what it prints to the listener. */
  readonly output?: 'inherit' | 'events' | undefined;
}

const DEFAULTS = {
  args: [] as readonly string[],
  env: {} as Readonly<Record<string, string>>,
  network: 'host' as 'host' | 'none',
  output: 'events' as 'inherit' | 'events',
};

type Settled = WithDefaults<RunRequest, typeof DEFAULTS>;

/** How long an app may take to end after SIGTERM, as on Heroku (R107). */
const GRACE_MS = 30_000;

/**
 * Starts a process of an image of ours in the sandbox and waits for its end: the launcher is process 1, /app is a copy that
 * is thrown away afterwards. When `tools.signal` aborts, every process gets SIGTERM and, 30 seconds later, SIGKILL; the
 * result is then the process's own exit. Throws `IMAGE_NOT_FOUND`, `IMAGE_NOT_OURS`, `IMAGE_INVALID`, `REBASE_SEAM_BROKEN`, and what
 * the sandbox throws.
 */
export async function run(given: RunRequest, givenTools: GivenTools): Promise<Exit> {
  const tools = settleTools(givenTools);
  return inCache(given.cacheDir, undefined, async (cache) => {
    const request = withDefaults(given, DEFAULTS);
    await tools.sandbox.check?.();
    const place = openSource(await readPlace(request.image), blobsIn(cache), tools);
    const own = await place.find(request.platform);
    requireOurs(request.image, own.image);
    const found = await standOn(request, own, cache, tools);
    return startImage(
      {
        ...found,
        args: request.args,
        env: request.env,
        network: request.network,
        output: request.output === 'inherit' ? 'inherit' : 'split',
        init: { graceMs: GRACE_MS },
      },
      cache,
      tools,
    );
  });
}

function requireOurs(reference: string, image: Image): void {
  if (labelsOf(image)[RECORD_LABEL] !== undefined) return;
  throw fail('IMAGE_NOT_OURS', {
    what: `${reference} cannot be started: it was not made by pack-build`,
    why: `it has no label ${RECORD_LABEL}, and so nothing tells its app from its base`,
    fix: 'start it with a container engine such as podman, or name an image that pack-build has built',
  });
}

/** The image, on the base that was asked for: the one that a rebase would write. */
async function standOn(
  { base, platform }: Settled,
  found: FoundImage,
  cache: Cache,
  tools: Tools,
): Promise<Pick<FoundImage, 'image' | 'blobs'>> {
  if (base === undefined) return found;
  const { on, registries } = tools;
  const resolved = await resolveBase(base, { platform, store: blobsIn(cache), on, registries });
  const { image } = rebaseImage(found.image, resolved.base);
  return { image, blobs: unionOf(found.blobs, resolved.blobs) };
}
