import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { buildpack, useProduct, writeFiles } from '../../support/product.js';

const { build, fail, directory } = useProduct();

async function app(): Promise<string> {
  const source = join(await directory(), 'app');
  await writeFiles(source, { index: '' });
  return source;
}

const shows = buildpack({ compile: 'cd "$2"; find . | sort > "$1/cache"' });

describe('CACHE_DIR', () => {
  it('R70 is what the last build that succeeded left', async () => {
    const source = await app();
    for (const count of [1, 2, 3]) {
      const { output } = await build({ source, buildpacks: ['cache-counter'] });
      expect(output).toContain(`Build number ${count}\n`);
    }
  });

  it('R70 S13 is as before after a build that took things out of it and failed', async () => {
    const source = await app();
    await build({
      source,
      buildpacks: [buildpack({ compile: 'mkdir "$2/node_modules"; echo x > "$2/node_modules/x"' })],
    });
    const gutter = buildpack({ compile: 'mv "$2/node_modules" "$1/"; touch "$2/new"; exit 1' });
    expect((await fail({ source, buildpacks: [gutter] })).error.code).toBe('COMPILE_FAILED');
    const { text } = await build({ source, buildpacks: [shows] });
    expect(text('app/cache')).toBe('.\n./node_modules\n./node_modules/x\n');
  });

  it.each([
    ['a later buildpack', { compile: 'exit 1' }],
    ['a release', { release: 'exit 1' }],
    ['the capture', { compile: 'echo x > "$1/su"; chmod 4755 "$1/su"' }],
  ])('R71 is discarded when %s fails', async (_, scripts) => {
    const source = await app();
    const puts = buildpack({ compile: 'touch "$2/put"' });
    await fail({ source, buildpacks: [puts, buildpack(scripts)] });
    expect((await build({ source, buildpacks: [shows] })).text('app/cache')).toBe('.\n');
  });

  it('R72 is one of two whole states after two builds at once', async () => {
    const source = await app();
    const writes = (own: string) => buildpack({ compile: `for n in 1 2 3; do echo ${own} > "$2/$n"; sleep 0.1; done` });
    await Promise.all(['a', 'b'].map((own) => build({ source, buildpacks: [writes(own)] })));
    const reads = buildpack({ compile: 'cat "$2"/* | sort -u > "$1/cache"' });
    expect((await build({ source, buildpacks: [reads] })).text('app/cache')).toMatch(/^[ab]\n$/);
  });

  it('R73 BP-13 belongs to one app, is in no image, and may be cleared', async () => {
    const [source, other] = [await app(), await app()];
    const { layers } = await build({ source, buildpacks: [buildpack({ compile: 'echo cached > "$2/x"' })] });
    const contents = layers.flatMap(({ entries }) => entries.map(({ content }) => content.toString()));
    expect(contents).not.toContain('cached\n');
    expect((await build({ source: other, buildpacks: [shows] })).text('app/cache')).toBe('.\n');
    const cleared = await build({ source, buildpacks: [shows], request: { clearCache: true } });
    expect(cleared.text('app/cache')).toBe('.\n');
  });

  it('R74 S16 keeps modes, links, hard links and times, also read-only directories', async () => {
    const source = await app();
    const fills = `cd "$2"; mkdir ro; echo x > ro/f; chmod 0444 ro/f; ln -s /usr/lib/go-1.19 go; ln ro/f hard
      touch -d @1000000000 ro/f; chmod 0555 ro`;
    await build({ source, buildpacks: [buildpack({ compile: fills })] });
    const looks = 'cd "$2"; { stat -c "%n %a %h %Y %u" ro/f; stat -c "%a" ro; readlink go; } > "$1/seen"';
    for (const _ of [1, 2]) {
      const { text } = await build({ source, buildpacks: [buildpack({ compile: looks })] });
      expect(text('app/seen')).toBe('ro/f 444 2 1000000000 1000\n555\n/usr/lib/go-1.19\n');
    }
  });

  it('R75 is shared by all buildpacks of the app, also by those that have left the list', async () => {
    const source = await app();
    const puts = (name: string) => buildpack({ compile: `touch "$2/${name}"` });
    await build({ source, buildpacks: [puts('one'), puts('two')] });
    expect((await build({ source, buildpacks: [shows] })).text('app/cache')).toBe('.\n./one\n./two\n');
  });
});
