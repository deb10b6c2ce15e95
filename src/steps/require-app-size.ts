import type { App } from '../oci/app.js';
import { fail } from '../values/error.js';
import { formatSize } from '../values/size.js';

/** How many of the largest layers an error names. */
const MOST = 5;

/**
 * Holds an app to a size (R32): the bytes of its layers as they are stored, so compressed unless the request says otherwise.
 * Throws `APP_TOO_LARGE` with its largest layers.
 */
export function requireAppSize({ layers }: App, limit = Number.POSITIVE_INFINITY): void {
  const total = layers.reduce((sum, { descriptor }) => sum + descriptor.size, 0);
  if (total <= limit) return;
  const largest = [...layers].sort((a, b) => b.descriptor.size - a.descriptor.size).slice(0, MOST);
  throw fail('APP_TOO_LARGE', {
    what: 'the app that was built is larger than it may be',
    why: [
      `its layers have ${total} bytes (${formatSize(total)}); allowed are ${limit} (${formatSize(limit)})`,
      'the largest:',
      ...largest.map(({ name, descriptor }) => `  ${formatSize(descriptor.size).padStart(8)}  ${name}`),
    ].join('\n'),
    fix: 'remove what the app does not need to run, or allow more with --max-app',
    details: {
      bytes: total,
      limit,
      largest: largest.map(({ name, descriptor }) => ({ name, bytes: descriptor.size })),
    },
  });
}
