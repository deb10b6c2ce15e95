import { existsSync } from 'node:fs';
import { dirname, join, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';

const here = fileURLToPath(import.meta.url);

/** The directory of this package. Compiled, this file may be a part of any other: so it is the one that has a package.json. */
const packageRoot = (() => {
  let directory = dirname(here);
  while (!existsSync(join(directory, 'package.json')) && directory !== dirname(directory))
    directory = dirname(directory);
  return directory;
})();

/** The path of a file that lies in the package as it does in the repository: `buildpacks`. */
export function packageFile(path: string): string {
  return join(packageRoot, path);
}

/** The path of a file that lies beside the code, in `src` or where that was compiled to: `launcher/launcher.sh`. */
export function codeFile(path: string): string {
  const [top = ''] = relative(packageRoot, here).split(sep);
  return join(packageRoot, top, path);
}
