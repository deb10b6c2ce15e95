import { fail } from './error.js';

/** Where an image runs, in the words of Go's GOOS and GOARCH (image-spec, image-index.md). */
export interface Platform {
  readonly os: string;
  readonly architecture: string;
  readonly variant?: string;
}

/** Reads `linux/amd64` or `linux/arm64/v8`. Throws `USAGE`. */
export function parsePlatform(text: string): Platform {
  const match = /^([a-z0-9]+)\/([a-z0-9]+)(?:\/([a-z0-9]+))?$/.exec(text);
  if (!match?.[1] || !match[2]) {
    throw fail('USAGE', {
      what: `${JSON.stringify(text)} is not a platform`,
      fix: 'write it as OS/ARCH, such as linux/amd64',
    });
  }
  return { os: match[1], architecture: match[2], ...(match[3] === undefined ? {} : { variant: match[3] }) };
}

export function formatPlatform(platform: Platform): string {
  return [platform.os, platform.architecture, platform.variant].filter((part) => part !== undefined).join('/');
}

/** arm64 means arm64/v8 (image-spec); all else is compared as written. */
export function samePlatform(a: Platform, b: Platform): boolean {
  return a.os === b.os && a.architecture === b.architecture && variantOf(a) === variantOf(b);
}

function variantOf({ architecture, variant }: Platform): string {
  return variant ?? (architecture === 'arm64' ? 'v8' : '');
}
