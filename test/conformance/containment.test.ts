import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { directoryStore } from '../../src/blobs/directory-store.js';
import { unionOf } from '../../src/blobs/union.js';
import { packLayer } from '../../src/layers/pack.js';
import { openSource, openTarget } from '../../src/layout/places.js';
import { assemble } from '../../src/oci/assemble.js';
import { isFailure } from '../../src/values/error.js';
import { parsePlace } from '../../src/values/place.js';
import { buildpack, useProduct, writeFiles } from '../support/product.js';
import { ARCHITECTURE } from '../support/tiny-base.js';

const { base, build, cacheDir, directory, fail, run } = useProduct();

/** A directory of the host that no script may ever see, with a file in it. */
async function hostSecret(): Promise<string> {
  const home = await directory();
  await writeFiles(home, { secret: 'of the host\n' });
  return home;
}

/** Replaces a directory of the build by a link to one of the host. */
function links(directory: string, to: string): string {
  return `rm -rf ${directory}; mkdir -p ${to}; ln -s ${to} ${directory}`;
}

describe('a link in the place of a directory of the build', () => {
  it('leads nowhere in the next build, when CACHE_DIR was replaced', async () => {
    const source = join(await directory(), 'app');
    await writeFiles(source, { x: '' });
    await build({ source, buildpacks: [buildpack({ compile: links('"$2"', await hostSecret()) })] });
    const { text } = await build({ source, buildpacks: [buildpack({ compile: 'ls -A "$2" > "$1/seen"' })] });
    expect(text('app/seen')).toBe('');
  });

  it('leads nowhere in bin/report, when a compile that fails has replaced BUILD_DIR', async () => {
    const spy = buildpack({
      compile: `${links('"$1"', await hostSecret())}; exit 1`,
      report: 'echo "seen: $(cat "$1/secret" 2>/dev/null || echo nothing)"',
    });
    const { events } = await fail({ buildpacks: [spy] });
    const reports = events.flatMap((event) => (event.type === 'report' ? [event.values] : []));
    expect(JSON.stringify(reports)).not.toContain('of the host');
  });

  it('leads nowhere in bin/detect, when an export file has replaced BUILD_DIR', async () => {
    const text = `${links('/tmp/build_app', await hostSecret())}\n`;
    const first = buildpack({ compile: 'cp "$(dirname "$0")/../text" "$(dirname "$0")/../export"' }, { text });
    const spy = buildpack({ detect: 'cat "$1/secret" >&2; echo x' });
    const { output, error } = await fail({ buildpacks: [first, spy] });
    expect(output).not.toContain('of the host');
    expect(error.code).toBe('BUILD_DIR_LOST');
  });

  it('is not followed in the workspace, when another buildpack or ENV_DIR was replaced', async () => {
    const secret = await hostSecret();
    const first = buildpack({ compile: `${links('/tmp/buildpacks/2', secret)}; ${links('"$3"', secret)}` });
    const { error, output } = await fail({ buildpacks: [first, 'detects-always'] });
    expect(error.code).toBe('BUILDPACK_INVALID');
    expect(output).not.toContain('of the host');
  });
});

describe('an image of somebody else', () => {
  it.each([
    ['app', 'writes to'],
    ['pack-build', 'reads'],
  ])('whose /%s is a link never %s a directory of the host when it is run', async (name) => {
    const [secret, layout] = [await hostSecret(), join(await directory(), 'layout')];
    const built = await build({ buildpacks: ['release-none'] });
    const store = directoryStore(join(cacheDir(), 'v1/blobs'));
    const link = { type: 'symlink', path: name, target: secret, mode: 0o777, uid: 0, gid: 0 } as const;
    const layer = { name: 'evil', ...(await packLayer([link], { store })) };
    const app = { ...built.result.app, layers: [...built.result.app.layers, layer] };
    const found = await openSource(parsePlace(base().place()), store).find({ os: 'linux', architecture: ARCHITECTURE });
    const { image } = assemble({ image: found.image, name: 'run' }, app);
    await openTarget({ kind: 'oci', path: layout, tag: 'evil' }).put(image, unionOf(store, found.blobs));
    const error = await run(`oci:${layout}:evil`, { args: ['touch /app/touched; ls /pack-build'] }).catch((e) => e);
    expect(isFailure(error) && error.code).toBe('IMAGE_INVALID');
    expect(await readdir(secret)).toEqual(['secret']);
  });
});

describe('names of an app', () => {
  it('may be those of members of every object', async () => {
    const files = { Procfile: '__proto__: echo p\nconstructor: echo c\n', __proto__x: '' };
    const { result, text } = await build({ files, buildpacks: ['release-none'] });
    expect(Object.keys(result.app.processes)).toEqual(['__proto__', 'constructor']);
    expect(text('pack-build/processes/__proto__')).toBe('echo p');
  });

  it('may hold line feeds, but no bytes that are not UTF-8 and no marks of deletion', async () => {
    const { paths } = await build({ buildpacks: [buildpack({ compile: `touch "$1/a\nb" "$1/-rf" "$1/*"` })] });
    expect(paths).toEqual(expect.arrayContaining(['app/a\nb', 'app/-rf', 'app/*']));
    for (const [name, told] of [
      ['x$(printf "\\377")', '"sub/x\ufffd" in the app has a name that is not UTF-8'],
      ['.wh.x', expect.stringContaining('app/sub/.wh.x')],
    ]) {
      const { error } = await fail({ buildpacks: [buildpack({ compile: `mkdir "$1/sub"; touch "$1/sub/${name}"` })] });
      expect(error).toMatchObject({ code: 'LAYER_FILE_REFUSED', message: told });
    }
  });
});

describe('directories that buildpacks remake', () => {
  it('R93 is /app with mode 0755, also when BUILD_DIR became a private directory', async () => {
    const script = 'd=$(mktemp -d); cp "$1/a" "$d"; rm -rf "$1"; mv "$d" "$1"';
    const { entry } = await build({ files: { a: '' }, buildpacks: [buildpack({ compile: script })] });
    expect(entry('app')?.entry.mode).toBe(0o755);
  });

  it('R20 is CACHE_DIR, there for the next buildpack also when the one before has removed it', async () => {
    const second = buildpack({ compile: 'test -d "$2" && echo there > "$1/seen"' });
    const { text } = await build({ buildpacks: [buildpack({ compile: 'rm -rf "$2"' }), second] });
    expect(text('app/seen')).toBe('there\n');
  });

  it('R24 is /tmp, whose mode a buildpack may have changed', async () => {
    const second = buildpack({ compile: 'touch /tmp/x && echo ok > "$1/seen"' });
    const { text } = await build({
      buildpacks: [buildpack({ compile: 'chmod 0 "$2" /app; chmod 0555 /tmp' }), second],
    });
    expect(text('app/seen')).toBe('ok\n');
  });
});
