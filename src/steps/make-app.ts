import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ProcessTable } from '../buildpack/process-table.js';
import { hostPath, type Workspace } from '../buildpack/workspace.js';
import { blobsIn, type Cache } from '../cache/cache.js';
import { LAUNCHER_PATH } from '../launcher/launcher.js';
import { layerCache } from '../layers/layer-cache.js';
import type { App, Needs } from '../oci/app.js';
import { digestOfImage, platformOf } from '../oci/image.js';
import type { Compression } from '../values/compression.js';
import { type Digest, digestOf } from '../values/digest.js';
import { step } from '../values/events.js';
import { defined } from '../values/json.js';
import { packApp, RUN_UID } from './pack-app.js';
import type { ResolvedBase } from './resolve-base.js';
import type { BuildpackRun } from './run-buildpacks.js';
import type { Source } from './take-source.js';
import { tellDamaged } from './tell-damaged.js';
import type { Tools } from './tools.js';

export interface AppRequest {
  readonly taken: Source;
  readonly run: BuildpackRun;
  readonly processes: ProcessTable;
  readonly needs: Needs;
  readonly stack: string;
  readonly buildBase: ResolvedBase;
  /** The unpacked build base. */
  readonly root: string;
  readonly created?: string | undefined;
  /** Given by the user. */
  readonly labels: Readonly<Record<string, string>>;
  readonly compression: Compression;
}

/** The time of an image whose source has none: the constant that buildpack platforms use. */
const CONSTANT_TIME = '1980-01-01T00:00:01Z';

/** A JSON list of the addons that the release names. */
export const ADDONS_LABEL = 'dev.pack-build.addons';

/** Makes the App of a build: packs what the buildpacks left and says how it is to be run. It knows nothing of the run base. */
export async function makeApp(request: AppRequest, cache: Cache, workspace: Workspace, tools: Tools): Promise<App> {
  const { run, taken: source, buildBase } = request;
  const processes = Object.fromEntries(request.processes.processes);
  const { defaultType } = request.processes;
  const root = hostPath(workspace, workspace.buildDir);
  const layers = await step(tools.on, 'layers', undefined, () =>
    packApp(
      {
        root,
        writers: run.writers,
        stepNames: ['source', ...run.used.map(({ name }) => name)],
        processes,
        compression: request.compression,
      },
      {
        store: blobsIn(cache),
        cache: layerCache(cache.layers, (digest) => tellDamaged(`the layer ${digest}`, tools.on)),
        scans: cache.inventories,
        on: tools.on,
        signal: tools.signal,
      },
    ),
  );
  return {
    schema: 1,
    created: request.created ?? (source.version === undefined ? CONSTANT_TIME : rfc3339(source.version.time)),
    platform: platformOf(buildBase.base.image),
    stack: request.stack,
    buildBase: defined({
      digest: digestOfImage(buildBase.base.image),
      name: buildBase.base.name,
      packages: await packagesOf(request.root),
    }),
    buildpacks: run.used.map(({ title, name, version }) => ({ id: title, name, version })),
    processes,
    entrypoint: [LAUNCHER_PATH],
    cmd: defaultType === undefined ? [] : [defaultType],
    user: `${RUN_UID}:${RUN_UID}`,
    workingDir: '/app',
    stopSignal: 'SIGTERM',
    env: { ...Object.fromEntries(run.release?.configVars ?? []), HOME: '/app' },
    labels: labelsOf(request),
    needs: request.needs,
    layers,
  };
}

/**
 * The commit, unless the user says otherwise, and what the user says. Only Heroku acts on addons; for anyone else they are a
 * note of what the buildpack asked for (R79).
 */
function labelsOf({ taken: source, run, labels }: AppRequest): Readonly<Record<string, string>> {
  const addons = run.release?.addons ?? [];
  return {
    ...(source.version === undefined ? {} : { 'org.opencontainers.image.revision': source.version.commit }),
    ...labels,
    ...(addons.length === 0 ? {} : { [ADDONS_LABEL]: JSON.stringify(addons) }),
  };
}

function rfc3339(seconds: number): string {
  return new Date(seconds * 1000).toISOString().replace('.000Z', 'Z');
}

/** A buildpack such as apt installs what the build base lacks, so the list of what it has is a fact about the app (R115). */
async function packagesOf(root: string): Promise<Digest | undefined> {
  const status = await readFile(join(root, 'var/lib/dpkg/status')).catch(() => undefined);
  return status === undefined ? undefined : digestOf(status);
}
