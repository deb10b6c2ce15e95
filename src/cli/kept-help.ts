import { readFileSync } from 'node:fs';
import { codeFile } from '../system/own-files.js';

/** What the parser prints for `[COMMAND] --help`, if it was kept when the code was compiled. */
export function keptHelp(argv: readonly string[]): string | undefined {
  const words = argv.slice(0, -1);
  if (argv.at(-1) !== '--help' || !words.every((word) => /^\w+$/.test(word))) return undefined;
  try {
    return readFileSync(codeFile(`cli/help/${['pack-build', ...words].join(' ')}.txt`), 'utf8');
  } catch {
    return undefined;
  }
}
