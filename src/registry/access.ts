import type { ImageSource, ImageTarget, PutOptions } from '../blobs/images.js';
import type { BlobStore } from '../blobs/store.js';
import type { Descriptor } from '../values/descriptor.js';
import type { Digest } from '../values/digest.js';
import type { Artifact, AttachedRequest } from './artifact.js';
import type { Login } from './logins.js';
import { parseName } from './name.js';
import type { RegistryOptions } from './options.js';

export interface ReadOptions {
  /** An image names the reference, and not the user: it must be in a registry on the Internet, or in one that the user named too. */
  readonly isHint?: boolean | undefined;
  /** Keeps manifest and config too, so that a base that was read by its digest is read again without asking. */
  readonly isBase?: boolean | undefined;
  /** Its tag is to be moved: what it stands for is asked of the registry itself, since a mirror may be behind. */
  readonly isMoved?: boolean | undefined;
}

export interface GlanceOptions {
  readonly isHint?: boolean | undefined;
  readonly isQuick?: boolean | undefined;
}

/** Images in registries. What was learnt of one (tokens, where blobs are, how much it takes at once) is kept for all. */
export interface Registries {
  /** The image of a reference; layers that are read are kept in `store`. Throws `REFERENCE_INVALID`. */
  readonly source: (reference: string, store: BlobStore, how?: ReadOptions) => ImageSource;
  /** The place of a reference. Throws `REFERENCE_INVALID`. */
  readonly target: (reference: string, how?: PutOptions) => ImageTarget;
  /**
   * What a reference's tag stands for now, by the registry's word; undefined for a tag that is not there. `isHint` as for
   * `source`; with `isQuick`, one try of three seconds.
   */
  readonly digestOf: (reference: string, how?: GlanceOptions) => Promise<Digest | undefined>;
  /** Attaches an artifact to an image of the reference's repository. Gives the artifact's descriptor. */
  readonly attach: (reference: string, subject: Descriptor, artifact: Artifact) => Promise<Descriptor>;
  /**
   * The bytes of an artifact that is attached to an image of the reference's repository, if there is one that can be read.
   * `isHint` as for `source`.
   */
  readonly attached: (
    reference: string,
    request: AttachedRequest,
    how?: Pick<ReadOptions, 'isHint'>,
  ) => Promise<Uint8Array | undefined>;
  /** What is attached to an image of the reference's repository. */
  readonly referrers: (reference: string, subject: Digest) => Promise<readonly Descriptor[]>;
  /**
   * Asks a registry (`HOST[:PORT]`) whether it answers, and lets us in: once, for a few seconds. Throws `REFERENCE_INVALID`, and
   * what it is refused for.
   */
  readonly ping: (host: string) => Promise<void>;
  /**
   * Where the credentials are for `hosts`, and for each registry that the user's files name. Only for `hosts` are programs that
   * keep secrets asked, and no registry is. Throws `REGISTRY_CREDENTIALS`.
   */
  readonly logins: (hosts: readonly string[]) => Promise<readonly Login[]>;
}

/** Reaches registries as these options say, once one is asked: until then, nothing of all this is loaded. */
export function registries(options: RegistryOptions): Registries {
  let opening: Promise<Registries> | undefined;
  const open = () => {
    opening ??= import('./session.js').then(({ openSession }) => openSession(options));
    return opening;
  };
  return {
    source: (reference, store, how) => {
      parseName(reference);
      const source = async () => (await open()).source(reference, store, how);
      return {
        root: async () => (await source()).root(),
        find: async (platform) => (await source()).find(platform),
        findWhole: async () => (await source()).findWhole(),
      };
    },
    target: (reference, how) => {
      parseName(reference);
      const target = async () => (await open()).target(reference, how);
      return {
        check: async () => (await target()).check(),
        put: async (whole, blobs, signal) => (await target()).put(whole, blobs, signal),
        lacks: async (blobs) => (await target()).lacks(blobs),
      };
    },
    digestOf: async (reference, how) => (await open()).digestOf(reference, how),
    attach: async (reference, subject, artifact) => (await open()).attach(reference, subject, artifact),
    attached: async (reference, request, how) => (await open()).attached(reference, request, how),
    referrers: async (reference, subject) => (await open()).referrers(reference, subject),
    ping: async (host) => (await open()).ping(host),
    logins: async (hosts) => (await open()).logins(hosts),
  };
}
