import { describe, expect, it } from '@jest/globals';
import { assemble } from '../../../src/oci/assemble.js';
import { CNB_METADATA } from '../../../src/oci/cnb-labels.js';
import { baseHintsOf, layersByLabel } from '../../../src/oci/foreign-seam.js';
import { digestOfImage, labelsOf, layersOf } from '../../../src/oci/image.js';
import { appOf, baseOf, layerNo } from '../../support/image.js';

const read = (text: string | undefined) => JSON.parse(text ?? '');

describe('the labels for tools of CNB', () => {
  it('tell where the base ends, with its name where that is one for everybody', () => {
    const base = baseOf({ name: 'registry.example:5000/acme/run:1' });
    const { image } = assemble(base, appOf());
    const digest = digestOfImage(base.image);
    expect(read(labelsOf(image)[CNB_METADATA])).toEqual({
      app: ['c', 'd'].map((digit) => ({ sha: layerNo(digit).diffId })),
      buildpacks: [{ key: 'nodejs', version: '1', layers: {} }],
      config: { sha: '' },
      launcher: { sha: '' },
      'process-types': { sha: '' },
      runImage: {
        topLayer: layerNo('b').diffId,
        reference: `registry.example:5000/acme/run@${digest}`,
        image: 'registry.example:5000/acme/run:1',
      },
      stack: { runImage: { image: 'registry.example:5000/acme/run:1' } },
    });
    expect(layersByLabel(image)).toBe(2);
    expect(baseHintsOf(image)[0]).toEqual({ by: 'cnb', name: 'registry.example:5000/acme/run:1', digest });
  });

  it.each([undefined, 'run'])('tell no name of a base that is called %s', (name) => {
    const base = name === undefined ? baseOf() : baseOf({ name });
    const { runImage, stack } = read(labelsOf(assemble(base, appOf()).image)[CNB_METADATA]);
    expect(runImage).toEqual({ topLayer: layerNo('b').diffId, reference: digestOfImage(base.image) });
    expect(stack).toEqual({ runImage: {} });
  });

  it('tell nothing of a base without layers, nor what that base was built on', () => {
    const config = { config: { Labels: { [CNB_METADATA]: '{"runImage":{"topLayer":"other"}}' } } };
    expect(labelsOf(assemble(baseOf({ layers: [], config }), appOf()).image)[CNB_METADATA]).toBeUndefined();
    const { image } = assemble(baseOf({ config }), appOf());
    expect(read(labelsOf(image)[CNB_METADATA]).runImage.topLayer).toBe(layerNo('b').diffId);
  });

  it('tell buildpacks and processes, and leave to the app whether it may be moved', () => {
    const labels = labelsOf(assemble(baseOf(), appOf({ processes: { worker: 'work', web: 'serve "$PORT"' } })).image);
    expect(read(labels['io.buildpacks.build.metadata'])).toEqual({
      buildpacks: [{ id: 'nodejs', version: '1' }],
      launcher: { version: '', source: { git: { repository: '', commit: '' } } },
      processes: [
        { type: 'web', command: ['serve "$PORT"'], args: [], direct: false, buildpackID: '' },
        { type: 'worker', command: ['work'], args: [], direct: false, buildpackID: '' },
      ],
    });
    expect(labels['io.buildpacks.rebasable']).toBe('true');
    const kept = assemble(baseOf(), appOf({ labels: { 'io.buildpacks.rebasable': 'false' } })).image;
    expect(labelsOf(kept)['io.buildpacks.rebasable']).toBe('false');
    expect(layersOf(kept)).toHaveLength(4);
  });
});
