import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import type { Sandbox } from '../sandbox/sandbox.js';
import { fail } from '../values/error.js';
import { quoted } from './notice.js';
import { resolveInside, type View } from './resolve-inside.js';
import type { PlacedBuildpack } from './script.js';

/**
 * Looks at a script's first line before it is run, since an interpreter that is not there makes the same exit status as a
 * script that ends so by itself (R8). Throws `BUILDPACK_INVALID`.
 */
export async function checkScript(buildpack: PlacedBuildpack, script: string, tools: CheckTools): Promise<void> {
  const line = await firstLine(tools.workspace, `${buildpack.dir}/${script}`);
  if (line === undefined) {
    throw fail('BUILDPACK_INVALID', {
      what: `${buildpack.id} has no file ${script}`,
      why: 'it is a link to nothing or no regular file, or the buildpack itself has removed it',
      fix: "report it to the buildpack's author",
    });
  }
  if (line.endsWith('\r')) throw windowsLineEndings(buildpack, script, line);
  const missing = await missingInterpreter(line, tools);
  if (missing !== undefined) throw noInterpreter(buildpack, script, line, missing);
}

interface CheckTools {
  readonly workspace: View;
  readonly sandbox: Sandbox;
  readonly env: Readonly<Record<string, string>>;
}

async function firstLine(view: View, inside: string): Promise<string | undefined> {
  const path = await resolveInside(view, inside);
  if (path === undefined) return undefined;
  const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    if (!(await file.stat()).isFile()) return undefined;
    const { buffer, bytesRead } = await file.read(Buffer.alloc(512), 0, 512, 0);
    return buffer.toString('latin1', 0, bytesRead).split('\n', 1)[0] ?? '';
  } finally {
    await file.close();
  }
}

/** The interpreter that the base lacks, by the path or the name that the first line gives. */
async function missingInterpreter(line: string, tools: CheckTools): Promise<string | undefined> {
  const [interpreter, argument] = line.startsWith('#!') ? line.slice(2).trim().split(/\s+/) : [];
  if (!interpreter?.startsWith('/')) return undefined;
  const view = tools.sandbox.kind === 'host' ? { root: '/', mounts: [] } : tools.workspace;
  if ((await resolveInside(view, interpreter)) === undefined) return interpreter;
  if (!interpreter.endsWith('/env') || argument === undefined || /^-|=/.test(argument)) return undefined;
  for (const folder of (tools.env['PATH'] ?? '').split(':')) {
    if (await resolveInside(view, `${folder}/${argument}`)) return undefined;
  }
  return argument;
}

function windowsLineEndings(buildpack: PlacedBuildpack, script: string, line: string) {
  return fail('BUILDPACK_INVALID', {
    what: `${buildpack.id} has Windows line endings in ${script}`,
    why: `its first line is ${quoted(line)}; the system looks for a program whose name ends in a carriage return`,
    fix: `sed -i 's/\\r$//' ${script}, and put \`* text eol=lf\` into the buildpack's .gitattributes`,
    details: { buildpack: buildpack.id, script },
  });
}

function noInterpreter(buildpack: PlacedBuildpack, script: string, line: string, missing: string) {
  return fail('BUILDPACK_INVALID', {
    what: `${buildpack.id} needs ${missing} to run ${script}, and the build base has none`,
    why: `its first line is ${quoted(line)}`,
    fix: `use a build base that has ${missing} (--build-base), or a buildpack before this one that brings it`,
    details: { buildpack: buildpack.id, script, interpreter: missing },
  });
}
