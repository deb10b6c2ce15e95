import { readFile } from 'node:fs/promises';
import { codeFile } from '../system/own-files.js';

/** The image's entrypoint. */
export const LAUNCHER_PATH = '/pack-build/launcher';

/** The image's process table: one file per process type, holding the command exactly, without a newline added. */
export const PROCESSES_DIR = '/pack-build/processes';

/** The bytes of the launcher, the same for every image; they belong at `LAUNCHER_PATH` with mode 0755. */
export function launcherScript(): Promise<Uint8Array> {
  return readFile(codeFile('launcher/launcher.sh'));
}
