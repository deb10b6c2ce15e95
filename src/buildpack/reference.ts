import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { fail } from '../values/error.js';
import { quoted } from './notice.js';
import { redactUrl } from './redact.js';

/** The buildpacks that come with pack-build. */
export const BUNDLED = ['nodejs', 'python', 'go', 'procfile'] as const;

/** Where a buildpack is to come from, as a user wrote it. `id` is what is recorded: without credentials. */
export type BuildpackReference = { readonly id: string } & (
  | { readonly kind: 'directory'; readonly path: string }
  | { readonly kind: 'tarball'; readonly path: string }
  | { readonly kind: 'git'; readonly url: string; readonly ref?: string }
  | { readonly kind: 'bundled'; readonly name: string }
  /** `heroku/nodejs`; or a directory two levels down, which `path` then names. */
  | { readonly kind: 'registry'; readonly name: string; readonly path: string }
  | { readonly kind: 'http'; readonly url: string }
);

/**
 * Tells what a buildpack reference is by its form alone (R2, R3). Relative paths are taken from `from`, an absolute
 * directory. A git URL is split at the first `#`. Throws `REFERENCE_INVALID`.
 */
export function parseReference(text: string, from: string): BuildpackReference {
  if (text === '' || text.startsWith('-') || /[\0-\x1f\x7f]/.test(text))
    throw invalid(text, 'it is empty, begins with `-` or contains control characters');
  if (/^file:/i.test(text)) return fileReference(text);
  if (/^https?:\/\//i.test(text)) return webReference(text);
  if (/^(?:git|ssh|git\+ssh|git\+https?):\/\//i.test(text))
    return { ...gitReference(text.replace(/^git\+/i, '')), id: redactUrl(text) };
  if (/^[A-Za-z][A-Za-z0-9+.-]*:(?:\/\/|:)/.test(text))
    throw invalid(text, `pack-build cannot fetch from ${quoted(text.split(':', 1)[0] ?? '')}`);
  if (isScpStyle(text)) return gitReference(text);
  return localReference(text, from);
}

const TARBALL = /\.(?:tgz|tbz2?|txz|tar(?:\.(?:gz|bz2?|xz))?)$/i;

function isScpStyle(text: string): boolean {
  return /^(?:[A-Za-z0-9._-]+@)?[A-Za-z0-9.-]+:[^:]/.test(text) && !/^[./~]/.test(text);
}

function fileReference(text: string): BuildpackReference {
  const { head, ref } = splitRef(text);
  const path = pathOfUrl(head.split('?', 1)[0] ?? head, text);
  if (ref !== undefined || path.endsWith('.git')) return gitReference(text);
  return { id: text, kind: TARBALL.test(path) ? 'tarball' : 'directory', path };
}

function webReference(text: string): BuildpackReference {
  const { head, ref } = splitRef(text);
  const path = head.split('?', 1)[0] ?? head;
  if (!TARBALL.test(path)) return gitReference(text);
  if (!URL.canParse(text)) throw invalid(text, 'it is not an address');
  if (!isUserReadable(new URL(text)))
    throw invalid(text, 'after a `%` in the user or the password come two hexadecimal digits; `%` itself is `%25`');
  if (ref !== undefined) throw invalid(text, `a tarball has no ${quoted(ref)}; a git repository would`);
  return { id: redactUrl(text), kind: 'http', url: text };
}

function isUserReadable({ username, password }: URL): boolean {
  try {
    decodeURIComponent(`${username}:${password}`);
    return true;
  } catch {
    return false;
  }
}

function gitReference(text: string): BuildpackReference {
  const { head, ref } = splitRef(text);
  if (ref !== undefined && (ref === '' || ref.startsWith('-') || /[\s~^:?*[\\]|\.\./.test(ref))) {
    throw invalid(text, `${quoted(ref)} is not a branch, a tag or a commit`);
  }
  return { id: redactUrl(text), kind: 'git', url: head, ...(ref === undefined ? {} : { ref }) };
}

function localReference(text: string, from: string): BuildpackReference {
  const { head, ref } = splitRef(text);
  if (head.endsWith('.git') && head.includes('/')) {
    return { id: text, kind: 'git', url: resolve(from, head), ...(ref === undefined ? {} : { ref }) };
  }
  if (TARBALL.test(text)) return { id: text, kind: 'tarball', path: resolve(from, text) };
  if ((BUNDLED as readonly string[]).includes(text)) return { id: text, kind: 'bundled', name: text };
  const path = resolve(from, text);
  if (/^[a-z0-9][a-z0-9._-]*\/[a-z0-9][a-z0-9._-]*(?:@[a-z0-9.]+)?$/i.test(text))
    return { id: text, kind: 'registry', name: text, path };
  if (text.includes('/') || text === '.' || text === '..') return { id: text, kind: 'directory', path };
  throw invalid(
    text,
    `pack-build brings ${BUNDLED.join(', ')}, and a directory is written with a slash, such as ${quoted(`./${text}`)}`,
  );
}

/** At the first `#`: a ref may contain more of them, a URL may not. */
function splitRef(text: string): { head: string; ref?: string } {
  const hash = text.indexOf('#');
  return hash === -1 ? { head: text } : { head: text.slice(0, hash), ref: text.slice(hash + 1) };
}

function pathOfUrl(url: string, text: string): string {
  try {
    return fileURLToPath(url);
  } catch {
    throw invalid(text, 'a file URL is `file://` and an absolute path');
  }
}

function invalid(text: string, why: string) {
  return fail('REFERENCE_INVALID', {
    what: `${quoted(redactUrl(text))} does not name a buildpack`,
    why,
    fix: 'name a directory (./my-buildpack), a tarball (./my-buildpack.tgz, https://host/my-buildpack.tgz), a git URL (https://host/repo.git#v1), a name of the registry (heroku/nodejs) or a bundled buildpack (nodejs)',
  });
}
