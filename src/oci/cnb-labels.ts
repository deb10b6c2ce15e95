import { canonicalJson } from '../values/document.js';
import type { Json } from '../values/error.js';
import { isFullReference } from '../values/place.js';
import type { App } from './app.js';
import { type Base, digestOfImage, layersOf } from './image.js';

/** The label in which CNB's lifecycle keeps where the run image ends (buildpacks spec, platform.md). */
export const CNB_METADATA = 'io.buildpacks.lifecycle.metadata';
const BUILD = 'io.buildpacks.build.metadata';
const REBASABLE = 'io.buildpacks.rebasable';

type Labels = Readonly<Record<string, string>>;

/** What tools of CNB read of an app, on whatever base it stands: its buildpacks and processes, and that it may be moved. */
export function cnbLabelsOf({ buildpacks, processes }: App): Labels {
  const build = {
    buildpacks: buildpacks.map(({ id, version }) => ({ id, version })),
    launcher: { version: '', source: { git: { repository: '', commit: '' } } },
    processes: Object.entries(processes)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([type, command]) => ({ type, command: [command], args: [], direct: false, buildpackID: '' })),
  };
  return { [BUILD]: canonicalJson(build), [REBASABLE]: 'true' };
}

/** What tools of CNB read to move an image to another base. A base without layers has no top one to tell of. */
export function cnbSeamOf(base: Base, { layers, buildpacks }: App): Labels {
  const topLayer = layersOf(base.image).at(-1)?.diffId;
  if (topLayer === undefined) return {};
  const named = isFullReference(base.name) ? { image: base.name } : {};
  const metadata = {
    app: layers.map(({ diffId }) => ({ sha: diffId })),
    buildpacks: buildpacks.map(({ id, version }) => ({ key: id, version, layers: {} })),
    config: { sha: '' },
    launcher: { sha: '' },
    'process-types': { sha: '' },
    runImage: { topLayer, reference: cnbReference(base), ...named },
    stack: { runImage: named },
  };
  return { [CNB_METADATA]: canonicalJson(metadata as unknown as Json) };
}

/** What the label `CNB_METADATA` says, whoever wrote it; undefined for what is no object in JSON. Nothing of it is checked. */
export function parseMetadata(label: string): { readonly runImage?: unknown } | undefined {
  try {
    const told: unknown = JSON.parse(label);
    return typeof told === 'object' && told !== null && !Array.isArray(told) ? told : undefined;
  } catch {
    return undefined;
  }
}

/** A base by its digest, with its name where that is one for everybody. */
export function cnbReference({ image, name }: Base): string {
  const digest = digestOfImage(image);
  return isFullReference(name) ? `${name.replace(/@.*$/, '').replace(/:[^/:]*$/, '')}@${digest}` : digest;
}
