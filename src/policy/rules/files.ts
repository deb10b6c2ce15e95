import type { CheckedImage } from '../check-image.js';
import { linkView } from '../link-view.js';
import type { Ban, Policy } from '../policy.js';
import type { ScannedEntry } from '../scan.js';
import type { Violation, ViolationCode } from '../violation.js';

/** A kind of file that a policy can ban. */
interface Banned {
  readonly code: ViolationCode;
  readonly ban: Ban | undefined;
  readonly hint: string;
  /** What is wrong with an entry, if anything is. */
  readonly found: (entry: ScannedEntry) => string | undefined;
}

/**
 * Files that must not be there, in whatever layer: one that an upper layer deletes is shipped all the same. A hard link to
 * such a file is one too.
 */
export function fileRules({ scans, base }: CheckedImage, policy: Policy): readonly Violation[] {
  const rules = bannedBy(policy).filter(({ ban }) => ban !== undefined);
  if (rules.length === 0) return [];
  const marked = rules.map(() => new Map<string, string>());
  const view = linkView();
  const violations: Violation[] = [];
  for (const [layer, scan] of scans.entries()) {
    const isBase = layer < (base?.layers ?? 0);
    for (const entry of scan?.entries ?? []) {
      const place = view.placeOf(entry.path) ?? entry.path;
      for (const [n, { code, ban, hint, found }] of rules.entries()) {
        const linked = entry.type === 'link' ? marked[n]?.get(view.placeOf(entry.link ?? '') ?? '') : undefined;
        const got = found(entry) ?? linked;
        if (got === undefined) continue;
        marked[n]?.set(place, got);
        if (ban === 'forbid' || !isBase)
          violations.push({ code, layer, path: `/${entry.path}`, got, limit: ban ?? '', hint });
      }
      view.put(place, entry.type, entry.type === 'symlink' ? (entry.link ?? '') : undefined);
    }
  }
  return violations;
}

function bannedBy(policy: Policy): readonly Banned[] {
  return [
    {
      code: 'RST_SETUID',
      ban: policy.setuid,
      hint: 'take the bits away: chmod ug-s FILE',
      found: ({ type, mode }) => (type !== 'directory' && (mode & 0o6000) !== 0 ? octal(mode) : undefined),
    },
    {
      code: 'RST_FILE_CAPABILITIES',
      ban: policy.fileCapabilities,
      hint: 'take the capabilities away: setcap -r FILE',
      found: ({ xattrs }) => xattrs?.find((name) => name === 'security.capability'),
    },
    {
      code: 'RST_DEVICE',
      ban: policy.devices,
      hint: 'leave the device out: who starts the image provides /dev',
      found: ({ type }) => (type === 'character-device' || type === 'block-device' ? type : undefined),
    },
    {
      code: 'RST_WORLD_WRITABLE',
      ban: policy.worldWritable,
      hint: 'take the right away: chmod o-w FILE',
      found: ({ type, mode }) => (isOpen(type, mode) ? octal(mode) : undefined),
    },
  ];
}

/** Symlinks have no rights of their own, and in a sticky directory everybody keeps to their own files. */
function isOpen(type: ScannedEntry['type'], mode: number): boolean {
  if (type === 'directory') return (mode & 0o1002) === 0o002;
  return (type === 'file' || type === 'link' || type === 'fifo') && (mode & 0o002) !== 0;
}

function octal(mode: number): string {
  return mode.toString(8).padStart(4, '0');
}
