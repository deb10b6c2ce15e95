import { fail } from '../values/error.js';
import { compileGlob, expandBraces, type Glob, MAX_ALTERNATIVES, matchesGlob } from './glob.js';
import { type Notice, quoted } from './notice.js';

export interface Slugignore {
  /** True when the file or directory at this path, relative to the source and split at slashes, is left out. */
  readonly ignores: (path: readonly string[], isDirectory: boolean) => boolean;
  readonly notices: readonly Notice[];
}

/**
 * Reads a `.slugignore` (R28): one Ruby `Dir` glob a line, not gitignore. A leading slash anchors a pattern at the root;
 * any other matches at the root and at every depth below directories that are not hidden. A directory goes with all it
 * holds, so the caller need not ask about its contents. Throws `SLUGIGNORE_INVALID`.
 */
export function parseSlugignore(bytes: Uint8Array): Slugignore {
  const lines = new TextDecoder('utf-8')
    .decode(bytes)
    .split('\n')
    .map((line, index) => ({ pattern: line.trim(), number: index + 1 }))
    .filter(({ pattern }) => pattern !== '' && !pattern.startsWith('#'));
  const rules = lines.flatMap(({ pattern, number }) => rulesOf(pattern, number));
  return {
    ignores: (path, isDirectory) =>
      rules.some((rule) => (isDirectory || !rule.directoriesOnly) && matchesGlob(rule.glob, path)),
    notices: lines.flatMap(noticesOf),
  };
}

/** The longest path a system takes. */
const MAX_LENGTH = 4096;

interface Rule {
  readonly glob: Glob;
  readonly directoriesOnly: boolean;
}

function rulesOf(pattern: string, number: number): readonly Rule[] {
  const alternatives = pattern.length > MAX_LENGTH ? undefined : expandBraces(pattern);
  if (alternatives === undefined) {
    throw fail('SLUGIGNORE_INVALID', {
      what: `line ${number} of .slugignore is longer than ${MAX_LENGTH} characters or stands for more than ${MAX_ALTERNATIVES} patterns`,
      why: `line ${number}: ${quoted(pattern)}`,
      fix: 'write several shorter lines',
      details: { line: number },
    });
  }
  return alternatives.flatMap((each) => {
    const glob = compileGlob(pattern.startsWith('/') ? each : `**/${each}`);
    // A pattern of slashes and dots would name the root itself.
    const names = compileGlob(each);
    return names.length === 0 ? [] : [{ glob, directoriesOnly: each.endsWith('/') }];
  });
}

function noticesOf({ pattern, number }: { pattern: string; number: number }): readonly Notice[] {
  if (pattern.startsWith('!')) {
    const message = `line ${number} of .slugignore: ${quoted(pattern)} does not bring files back; \`!\` means nothing there`;
    return [{ code: 'SLUGIGNORE_NEGATION', message }];
  }
  if (pattern.split('/').includes('..')) {
    const message = `line ${number} of .slugignore: ${quoted(pattern)} matches nothing; patterns stay inside the app`;
    return [{ code: 'SLUGIGNORE_OUTSIDE', message }];
  }
  return [];
}
