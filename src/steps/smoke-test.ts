import type { BlobReader } from '../blobs/store.js';
import type { Cache } from '../cache/cache.js';
import { type Image, labelsOf, platformOf } from '../oci/image.js';
import { imagesOf, type Whole } from '../oci/image-index.js';
import { RECORD_LABEL } from '../oci/record.js';
import type { Exit } from '../sandbox/sandbox.js';
import { fail } from '../values/error.js';
import { formatPlatform, type Platform, samePlatform } from '../values/platform.js';
import { startImage } from './start-image.js';
import type { Tools } from './tools.js';

/** A command that the app must pass on the new base before anything is written. */
export interface SmokeRequest {
  /** Shell text, run in /app as the image's launcher runs it. */
  readonly command: string;
  /** What this machine can run. */
  readonly platform: Platform;
}

/** How the command ended. */
export interface Smoke {
  readonly command: string;
  /** The exit status: 0, as it would have been refused otherwise. */
  readonly exit: number;
}

/** A command that never ends says nothing. */
const TIMEOUT_MS = 60_000;

/**
 * Runs a command of an image of ours, or of the one in an index that this machine can run, in the sandbox, without a
 * network: does the app work on its new base at all? Throws `REBASE_SMOKE_FAILED` where it ends with another status than 0,
 * is killed, takes more than a minute, or cannot be started: images of others, and of other platforms. Throws what the
 * sandbox throws.
 */
export async function smokeTest(
  whole: Whole,
  blobs: BlobReader,
  { command, platform }: SmokeRequest,
  cache: Cache,
  tools: Tools,
): Promise<Smoke> {
  const image = imageFor(whole, platform);
  const obstacle = obstacleTo(image, platform);
  if (obstacle !== undefined) throw failed(command, obstacle, {});
  const args = ['--', command];
  const request = { image, blobs, args, env: {}, network: 'none', output: 'split', timeoutMs: TIMEOUT_MS } as const;
  const exit = await startImage(request, cache, tools);
  if (exit.code === 0) return { command, exit: 0 };
  throw failed(command, wordsFor(exit), { exit: exit.code ?? null, signal: exit.killedBy ?? null });
}

/** Of an index, the image that this machine can run. */
function imageFor(whole: Whole, platform: Platform): Image {
  const images = imagesOf(whole);
  return images.find((image) => samePlatform(platformOf(image), platform)) ?? (images[0] as Image);
}

function obstacleTo(image: Image, platform: Platform): string | undefined {
  if (labelsOf(image)[RECORD_LABEL] === undefined)
    return 'the image was not made by pack-build, and only those can be started';
  const its = platformOf(image);
  return samePlatform(its, platform)
    ? undefined
    : `the image is for ${formatPlatform(its)}, and this machine is ${formatPlatform(platform)}`;
}

function wordsFor({ code, killedBy, timedOut }: Exit): string {
  if (timedOut) return `it ran for more than ${TIMEOUT_MS / 1000} seconds`;
  return killedBy === undefined ? `it ended with status ${code}` : `it was ended by ${killedBy}`;
}

function failed(command: string, why: string, details: Readonly<Record<string, string | number | null>>) {
  return fail('REBASE_SMOKE_FAILED', {
    what: `nothing was written, since the smoke test on the new base failed: ${command}`,
    why,
    fix: 'name another base, or try the command there: pack-build run IMAGE --base REF -- COMMAND',
    details: { command, ...details },
  });
}
