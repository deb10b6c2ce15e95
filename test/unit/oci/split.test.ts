import { describe, expect, it } from '@jest/globals';
import { assemble } from '../../../src/oci/assemble.js';
import { type ImageConfig, type Manifest, parseConfig, parseManifest } from '../../../src/oci/documents.js';
import type { Image } from '../../../src/oci/image.js';
import { OCI_CONFIG, OCI_MANIFEST } from '../../../src/oci/media-types.js';
import { RECORD_LABEL } from '../../../src/oci/record.js';
import { split } from '../../../src/oci/split.js';
import { isFailure, type PackBuildError } from '../../../src/values/error.js';
import { appOf, baseOf, layerNo } from '../../support/image.js';

const made = assemble(baseOf(), appOf()).image;

interface Documents {
  config: ImageConfig & Record<string, unknown>;
  manifest: Manifest & Record<string, unknown>;
}

/** The image after somebody changed its documents, all digests being right. */
function changed(change: (documents: Documents) => void): Image {
  const documents: Documents = structuredClone({
    config: made.config.value as Documents['config'],
    manifest: made.manifest.value as Documents['manifest'],
  });
  change(documents);
  const config = parseConfig(Buffer.from(JSON.stringify(documents.config)), OCI_CONFIG);
  const manifest = { ...documents.manifest, config: config.descriptor };
  return { config, manifest: parseManifest(Buffer.from(JSON.stringify(manifest)), OCI_MANIFEST) };
}

function run(documents: Documents, change: Record<string, unknown>): void {
  Object.assign(documents.config.config as object, change);
}

function labels(documents: Documents): Record<string, string | undefined> {
  return documents.config.config?.Labels as Record<string, string | undefined>;
}

function withLayers(documents: Documents, ...layers: readonly (readonly [number, ReturnType<typeof layerNo>])[]): void {
  for (const [at, { descriptor, diffId }] of layers) {
    (documents.manifest.layers as unknown[])[at] = descriptor;
    (documents.config.rootfs.diff_ids as unknown[])[at] = diffId;
  }
}

function errorOf(image: Image): PackBuildError {
  try {
    split(image);
  } catch (error) {
    if (isFailure(error)) return error;
    throw error;
  }
  throw new Error('nothing was refused');
}

describe('split', () => {
  it('takes an image apart that nobody changed', () => {
    expect(split(changed(() => undefined)).app).toEqual(appOf());
  });

  it.each<readonly [string, (documents: Documents) => void]>([
    ['a layer was added', (it) => withLayers(it, [4, layerNo('e')])],
    ['a layer of the base was replaced', (it) => withLayers(it, [1, layerNo('e')])],
    ['a layer of the app was replaced', (it) => withLayers(it, [3, layerNo('e')])],
    ['two layers were exchanged', (it) => withLayers(it, [2, layerNo('d')], [3, layerNo('c')])],
    [
      'a layer was removed',
      (it) => {
        (it.manifest.layers as unknown[]).pop();
        (it.config.rootfs.diff_ids as unknown[]).pop();
      },
    ],
    ['Cmd was changed', (it) => run(it, { Cmd: ['worker'] })],
    ['Cmd was removed', (it) => run(it, { Cmd: undefined })],
    ['Entrypoint was changed', (it) => run(it, { Entrypoint: ['/bin/sh'] })],
    ['Entrypoint was removed', (it) => run(it, { Entrypoint: undefined })],
    ['User was changed', (it) => run(it, { User: 'root' })],
    ['WorkingDir was changed', (it) => run(it, { WorkingDir: '/' })],
    ['StopSignal was changed', (it) => run(it, { StopSignal: 'SIGINT' })],
    ['a variable of the app was changed', (it) => run(it, { Env: ['PATH=/bin', 'HOME=/root'] })],
    ['a variable of the app was removed', (it) => run(it, { Env: ['PATH=/bin'] })],
    ['a variable of the base was changed', (it) => run(it, { Env: ['PATH=/opt', 'HOME=/app'] })],
    ['a variable was added', (it) => run(it, { Env: ['PATH=/bin', 'HOME=/app', 'DEBUG=1'] })],
    ['a port was added', (it) => run(it, { ExposedPorts: { '80/tcp': {} } })],
    ['a label of the app was removed', (it) => delete labels(it)['org.opencontainers.image.revision']],
    [
      'a label of the app was changed',
      (it) => {
        labels(it)['org.opencontainers.image.revision'] = 'other';
      },
    ],
    [
      'a label was added',
      (it) => {
        labels(it)['team'] = 'shop';
      },
    ],
    [
      'the annotation names another record',
      (it) => {
        (it.manifest.annotations as Record<string, string>)[RECORD_LABEL] = `{"digest":"sha256:${'0'.repeat(64)}"}`;
      },
    ],
    [
      'the record was changed by hand',
      (it) => {
        labels(it)[RECORD_LABEL] = labels(it)[RECORD_LABEL]?.replace('heroku-24', 'heroku-22');
      },
    ],
  ])('refuses an image of which %s', (_, change) => {
    expect(errorOf(changed(change))).toMatchObject({ code: 'REBASE_SEAM_BROKEN' });
  });

  it.each<readonly [string, (documents: Documents) => void, string]>([
    ['of the base', (it) => withLayers(it, [1, layerNo('e')]), 'layer 2 of 2 of the base'],
    ['of the app', (it) => withLayers(it, [2, layerNo('e')], [3, layerNo('e')]), 'layer 1 of the app'],
  ])('names the first layer %s that differs', (_, change, named) => {
    expect(errorOf(changed(change)).why).toContain(named);
  });

  it('takes an image apart that lost its manifest, as archives of Docker lose it', () => {
    const bare = changed((it) => delete (it.manifest as { annotations?: unknown }).annotations);
    expect(split(bare).app).toEqual(appOf());
  });

  it('takes an image apart whose empty settings were written out, as Docker writes them', () => {
    const written = changed((it) => run(it, { Hostname: '', OnBuild: null, Volumes: {}, AttachStdin: false }));
    expect(split(written).app).toEqual(appOf());
  });

  it.each<readonly [string, (documents: Documents) => void]>([
    ['has no record', (it) => delete labels(it)[RECORD_LABEL]],
    ['has no labels at all', (it) => run(it, { Labels: undefined })],
  ])('refuses an image that %s as not ours', (_, change) => {
    expect(errorOf(changed(change)).code).toBe('REBASE_NOT_OURS');
  });

  it.each([
    ['no JSON', '{'],
    ['of another schema', '{"schema":2}'],
    ['without a base', '{"schema":1}'],
    ['nested too deep', '['.repeat(100) + ']'.repeat(100)],
  ])('refuses a record that is %s', (_, text) => {
    const image = changed((it) => {
      labels(it)[RECORD_LABEL] = text;
    });
    expect(errorOf(image).code).toBe('REBASE_RECORD_INVALID');
  });

  it('refuses a record with a digest that is none', () => {
    const image = changed((it) => {
      labels(it)[RECORD_LABEL] = labels(it)[RECORD_LABEL]?.replace(/sha256:[0-9a-f]/, 'sha256:X');
    });
    expect(errorOf(image).code).toBe('REBASE_RECORD_INVALID');
  });
});
