import { type Digest, isDigest, parseDigest } from './digest.js';
import { fail } from './error.js';
import { defined } from './json.js';

/** Where an image is or goes, in the words of skopeo's transports. */
export type Place =
  | { readonly kind: 'oci'; readonly path: string; readonly tag?: string; readonly digest?: Digest }
  | { readonly kind: 'oci-archive'; readonly path: string; readonly tag?: string; readonly digest?: Digest }
  | { readonly kind: 'docker-archive'; readonly path: string; readonly reference?: string; readonly digest?: Digest }
  | { readonly kind: 'registry'; readonly reference: string };

/**
 * Reads `oci:DIR[:TAG]`, `oci-archive:FILE[:TAG]`, `docker-archive:FILE[:REF]`, each with `@DIGEST` behind it if one image is
 * meant and no other; anything without a known prefix is a registry reference, as is `docker://REF`. Throws
 * `REFERENCE_INVALID`, and `PLACE_UNSUPPORTED` for places that the command line's grammar knows and this version cannot reach.
 */
export function parsePlace(text: string): Place {
  const [, scheme, rest] = /^([a-z-]+):(.*)$/s.exec(text) ?? [];
  switch (scheme) {
    case 'oci':
    case 'oci-archive':
      return parseTagged(scheme, rest as string, text);
    case 'docker-archive':
      return parseDockerArchive(rest as string, text);
    case 'docker-daemon':
    case 'containers-storage':
    case 'slug':
    case 'dir':
      throw fail('PLACE_UNSUPPORTED', {
        what: `${text}: images cannot be read or written at \`${scheme}:\` places`,
        fix: 'use oci:DIR, oci-archive:FILE, docker-archive:FILE or docker://REF',
      });
    default:
      return {
        kind: 'registry',
        reference: parseReference(scheme === 'docker' ? (rest as string).replace(/^\/\//, '') : text),
      };
  }
}

/** The place as a user would write it. */
export function formatPlace(place: Place): string {
  if (place.kind === 'registry') return `docker://${place.reference}`;
  const name = place.kind === 'docker-archive' ? place.reference : place.tag;
  return `${place.kind}:${place.path}${name === undefined ? '' : `:${name}`}${place.digest === undefined ? '' : `@${place.digest}`}`;
}

/** The digest that a place names, if it names one. */
export function digestOfPlace(place: Place): Digest | undefined {
  if (place.kind !== 'registry') return place.digest;
  const [, digest] = /@(sha256:[0-9a-f]{64})$/.exec(place.reference) ?? [];
  return digest === undefined ? undefined : parseDigest(digest);
}

/** The place with this digest, instead of another if it has one. */
export function withDigest(place: Place, digest: Digest): Place {
  if (place.kind !== 'registry') return { ...place, digest };
  return { kind: 'registry', reference: `${place.reference.replace(/@.*$/, '')}@${digest}` };
}

/** The place with this tag, instead of tag and digest if it has them. An archive is one image, under whatever name. */
export function withTag(place: Place, tag: string): Place {
  switch (place.kind) {
    case 'registry':
      return { kind: 'registry', reference: `${place.reference.replace(/(?::\w[\w.-]*)?(?:@[^@]*)?$/, '')}:${tag}` };
    case 'oci':
    case 'oci-archive':
      return { kind: place.kind, path: place.path, tag };
    case 'docker-archive':
      return place;
  }
}

/** True for a name that means the same everywhere: it begins with the host of a registry. */
export function isFullReference(name: string | undefined): name is string {
  return name !== undefined && /^(localhost|[^/]*[.:][^/]*)\//.test(name) && isReference(name);
}

/** What to say when a registry is named and there is no way to it. */
export function unsupportedRegistry(reference: string) {
  return fail('PLACE_UNSUPPORTED', {
    what: `${reference} names an image in a registry, and nothing was given to reach registries with`,
    fix: 'give `registries: registries({ env })` with the other tools, or name a local place',
  });
}

function parseTagged(kind: 'oci' | 'oci-archive', rest: string, text: string): Place {
  const { before, digest } = splitDigest(rest, text);
  return defined({ kind, ...splitTag(before, text), digest });
}

function parseDockerArchive(rest: string, text: string): Place {
  const { before, digest } = splitDigest(rest, text);
  const [, path, reference] = /^([^:]*)(?::(.*))?$/s.exec(before) ?? [];
  if (reference !== undefined && !isReference(reference)) {
    throw fail('REFERENCE_INVALID', {
      what: `${text}: ${JSON.stringify(reference.slice(0, 200))} is not a name that an archive can give an image`,
      why: 'a name has lower-case letters, digits, `.`, `_`, `-` and `/`, and may have a tag behind a colon',
      fix: 'write it as docker-archive:FILE:NAME:TAG, such as docker-archive:shop.tar:shop:1',
    });
  }
  return defined({ kind: 'docker-archive' as const, path: nonEmpty(path ?? '', text), reference, digest });
}

function splitDigest(rest: string, text: string): { readonly before: string; readonly digest: Digest | undefined } {
  const [, before = '', digest] = /^(.*?)(?:@(sha256:.*))?$/s.exec(rest) ?? [];
  if (digest === undefined || isDigest(digest)) return { before, digest };
  throw fail('REFERENCE_INVALID', {
    what: `${text}: ${JSON.stringify(digest.slice(0, 120))} is not a digest`,
    why: 'a digest is `sha256:` followed by 64 lower-case hexadecimal digits',
    fix: 'write the whole digest, or leave out what follows from the `@` on',
  });
}

/** A tag is what follows the last colon, if that is a tag and not a part of a path. */
function splitTag(rest: string, text: string): { readonly path: string; readonly tag?: string } {
  const [, path, tag] = /^(.*):([^:/]*)$/s.exec(rest) ?? [undefined, rest, undefined];
  if (tag !== undefined && !/^[A-Za-z0-9_][A-Za-z0-9._+-]{0,127}$/.test(tag)) {
    throw fail('REFERENCE_INVALID', {
      what: `${text}: ${JSON.stringify(tag)} is not a tag`,
      why: 'a tag is up to 128 letters, digits, `_`, `.` and `-`, and does not begin with `.` or `-`',
      fix: 'write a tag such as `v1` behind the last colon, or none',
    });
  }
  return defined({ path: nonEmpty(path as string, text), tag });
}

function nonEmpty(path: string, text: string): string {
  if (path !== '' && !path.includes('\0')) return path;
  throw fail('REFERENCE_INVALID', {
    what: `${JSON.stringify(text)} names no file or directory`,
    fix: 'write it as oci:DIR[:TAG], oci-archive:FILE[:TAG] or docker-archive:FILE[:REF]',
  });
}

function parseReference(text: string): string {
  if (isReference(text)) return text;
  throw fail('REFERENCE_INVALID', {
    what: `${JSON.stringify(text.slice(0, 200))} does not name an image`,
    why: 'it has none of the prefixes oci:, oci-archive:, docker-archive: and is not a registry reference',
    fix: 'write it as oci:DIR[:TAG], or as docker://HOST/REPOSITORY[:TAG]',
  });
}

/** The distribution-spec's grammar of names, with an optional registry, tag and digest. */
export function isReference(text: string): boolean {
  const grammar =
    /^(?:(?:localhost|\[[0-9a-fA-F:.]+\]|[\w-]+(?:\.[\w-]+)+|[\w-]+(?=:\d+\/))(?::\d+)?\/)?[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*(?:\/[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*)*(?::\w[\w.-]{0,127})?(?:@sha256:[0-9a-f]{64})?$/;
  return text.length <= 512 && grammar.test(text);
}
