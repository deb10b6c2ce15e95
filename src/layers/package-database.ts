import type { Packages } from '../oci/package-delta.js';

const DPKG = 'var/lib/dpkg/status';

/** Reads the package database at a path of an image, or undefined for a path that is none. */
export function packageReaderOf(path: string): ((text: string) => Packages) | undefined {
  if (path.startsWith(DPKG)) return /^(\.d\/[^/]+)?$/.test(path.slice(DPKG.length)) ? readDpkg : undefined;
  return path === 'lib/apk/db/installed' || path === 'usr/lib/apk/db/installed' ? readApk : undefined;
}

/**
 * dpkg's list (deb-control(5)): what is installed, not what was removed and left its settings. A package that is there for
 * several architectures has its further ones as `NAME:ARCHITECTURE`.
 */
function readDpkg(text: string): Packages {
  const packages = new Map<string, string>();
  for (const paragraph of text.split(/\n\n+/)) {
    const [name, version, status] = ['Package', 'Version', 'Status'].map((key) => fieldOf(paragraph, `${key}: `));
    if (name === undefined || version === undefined || (status !== undefined && !status.endsWith(' installed')))
      continue;
    packages.set(packages.has(name) ? `${name}:${fieldOf(paragraph, 'Architecture: ')}` : name, version);
  }
  return Object.fromEntries(packages);
}

/** apk's list: a paragraph for each package, a letter for each field. */
function readApk(text: string): Packages {
  const packages = text.split(/\n\n+/).flatMap((paragraph) => {
    const [name, version] = [fieldOf(paragraph, 'P:'), fieldOf(paragraph, 'V:')];
    return name === undefined || version === undefined ? [] : [[name, version] as const];
  });
  return Object.fromEntries(packages);
}

function fieldOf(paragraph: string, key: string): string | undefined {
  const line = paragraph.split('\n').find((text) => text.startsWith(key));
  return line?.slice(key.length).trim();
}
