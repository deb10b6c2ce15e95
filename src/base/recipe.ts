import { LAYER_MTIME } from '../archive/tar-header.js';
import { type DiffId, digestOf, hexOf, parseDiffId } from '../values/digest.js';
import { canonicalJson } from '../values/document.js';
import type { Json } from '../values/error.js';
import { baseConfig } from './config.js';
import { type HookSettings, hookEnvironment } from './hooks.js';
import { mmdebstrapArguments } from './mmdebstrap.js';
import { BUILD_PACKAGES } from './packages.js';
import type { Suite } from './suites.js';

/** What to make a base of, as far as it is the same on all machines. */
export interface Recipe {
  readonly suite: Suite;
  readonly security: boolean;
  readonly include: readonly string[];
}

/** How a tree becomes layers, which nothing below can tell: to be raised when that changes. */
const FORMAT = 1;

/**
 * A short name for the way in which bases are made: packages, hooks, settings of the images. A base that is kept bears it in
 * its own name, so that one which was made in another way is not taken for it. It says nothing of the packages' versions.
 */
export function recipeKey({ suite, security, include }: Recipe): string {
  const settings: HookSettings = {
    workDir: '',
    mtime: LAYER_MTIME,
    security,
    include,
    buildPackages: BUILD_PACKAGES,
    aptAccess: [],
  };
  const facts = { suite, security, version: '', architecture: 'amd64', packages: [] };
  const parts = {
    format: FORMAT,
    arguments: mmdebstrapArguments({ suite, mirrors: [], settings, debs: undefined }),
    environment: hookEnvironment(settings),
    run: baseConfig({ ...facts, kind: 'run', diffIds: [ANY_LAYER] }),
    build: baseConfig({ ...facts, kind: 'build', diffIds: [ANY_LAYER, ANY_LAYER] }),
  };
  return hexOf(digestOf(new TextEncoder().encode(canonicalJson(parts as unknown as Json)))).slice(0, 12);
}

const ANY_LAYER: DiffId = parseDiffId(`sha256:${'0'.repeat(64)}`);
