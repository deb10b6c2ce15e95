import { fail, type PackBuildError } from '../values/error.js';

/** Where an image has its app and its launcher: a base must leave these top-level directories free. */
export const OWN_DIRECTORIES: readonly string[] = ['app', 'pack-build'];

/** The refusal of a base that has something of its own there, of this type. */
export function directoryTaken(path: string, type: string): PackBuildError {
  return fail('BASE_APP_DIRECTORY', {
    what: `the base has something of its own at /${path}`,
    why: type === 'directory' ? 'the directory is not empty' : `it is a ${type === 'symlink' ? 'link' : 'file'}`,
    fix: `use a base without /${path}: this is where pack-build puts an app`,
    details: { path: `/${path}` },
  });
}
