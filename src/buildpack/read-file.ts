import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import { fail, systemCode } from '../values/error.js';
import { resolveInside, type View } from './resolve-inside.js';
import type { RootedWorkspace } from './workspace.js';

/** More than any Procfile, app.json or `.slugignore` that people write. */
const MAX_BYTES = 4 * 1024 * 1024;

/**
 * Reads a small file of the app as it is before the build, such as `app.json` or `.buildpacks`. A link is followed within
 * the source only. Undefined when there is no regular file. Throws `SOURCE_INVALID` when it cannot be read or is huge.
 */
export async function readSourceFile(source: string, name: string): Promise<Uint8Array | undefined> {
  return readConfined({ root: source, mounts: [] }, `/${name}`, name);
}

/**
 * Reads a small file of BUILD_DIR, such as the Procfile (R82), when no process of the build is left. A link is followed as
 * a process inside would, so never to a file of the host. Undefined when there is no regular file.
 */
export async function readBuiltFile(workspace: RootedWorkspace, name: string): Promise<Uint8Array | undefined> {
  const view: View = { root: workspace.root, mounts: workspace.mounts };
  return readConfined(view, `${workspace.buildDir}/${name}`, name);
}

async function readConfined(view: View, inside: string, name: string): Promise<Uint8Array | undefined> {
  const path = await resolveInside(view, inside);
  if (path === undefined) return undefined;
  try {
    return await readRegular(path, name);
  } catch (cause) {
    if (systemCode(cause) === undefined) throw cause;
    throw fail('SOURCE_INVALID', {
      what: `${name} cannot be read`,
      why: `the system says ${systemCode(cause)}`,
      cause,
    });
  }
}

async function readRegular(path: string, name: string): Promise<Uint8Array | undefined> {
  // Without blocking, or a fifo would hold us up for ever.
  const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOFOLLOW);
  try {
    const stat = await file.stat();
    if (!stat.isFile()) return undefined;
    if (stat.size > MAX_BYTES) {
      throw fail('SOURCE_INVALID', {
        what: `${name} is too large`,
        why: `it has ${stat.size} bytes; at most ${MAX_BYTES} are read`,
        fix: `make ${name} smaller`,
      });
    }
    return await file.readFile();
  } finally {
    await file.close();
  }
}
