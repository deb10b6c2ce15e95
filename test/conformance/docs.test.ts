import { execFileSync, spawn } from 'node:child_process';
import { access, chmod, cp, mkdir, mkdtemp, readFile, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { recipeKey } from '../../src/base/recipe.js';
import { suiteNamed } from '../../src/base/suites.js';
import { layoutSource } from '../../src/layout/layout-source.js';
import { layoutTarget } from '../../src/layout/layout-target.js';
import { removeTree } from '../../src/system/remove.js';
import { ARCHITECTURE, tinyBase } from '../support/tiny-base.js';

/**
 * Commands that are tested elsewhere, each with the file that runs it: they take a real base, a registry of packages, or
 * all tests.
 */
const ELSEWHERE: Readonly<Record<string, string>> = {
  'npm run quickstart': 'scripts/quickstart.mjs',
  'npm test': '.ci/run',
  'npm run lint': 'scripts/test.sh',
  'npm run typecheck': 'scripts/test.sh',
  'npm run jest -- test/unit': 'scripts/test.sh',
  'npm run jest -- test/conformance/contract/compile.test.ts -t R53': 'scripts/test.sh',
  'pack-build base create debian-12 --to oci:base': 'test/integration/base/bootstrap.test.ts',
  'pack-build base create debian-12 --to oci:patched': 'test/integration/base/bootstrap.test.ts',
  'pack-build base create debian-12 --to oci:patched --only run --include imagemagick':
    'test/integration/base/bootstrap.test.ts',
};

interface Shown {
  /** True for the first of a block, which is run where all blocks begin. */
  readonly first: boolean;
  readonly command: string;
  /** What is shown below it. `…` stands for anything; a line that is `…` for any number of lines. */
  readonly output: readonly string[];
}

const documents = execFileSync('git', ['ls-files', '-z', '--', '*.md'], { encoding: 'utf8' })
  .split('\0')
  .filter((path) => path !== '' && !path.startsWith('fixtures/apps/'));

/** Many commands, each a process of its own. */
const TIMEOUT = 180_000;

const DEFAULT_BASE = recipeKey({ suite: suiteNamed('debian-12'), security: true, include: [] });

let home = '';
let images: { readonly layout: string; readonly patched: string; readonly roots: string };

beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'pack-build-docs-'));
  await installInto(join(home, 'pack-build'));
  images = await prepareBases();
  await mkdir(join(home, 'bin'));
  const main = join(home, 'pack-build/dist/cli/main.js');
  await script(join(home, 'bin/pack-build'), `exec '${process.execPath}' '${main}' "$@"`);
  await script(join(home, 'bin/npx'), 'exec "$@"');
});

afterAll(async () => removeTree(home));

describe('commands in documents', () => {
  it.each(documents)(
    '%s: each command does what is shown',
    async (path) => {
      const shown = shownIn(await readFile(path, 'utf8'));
      const place = await prepare(path);
      let cwd = place;
      for (const { first, command, output } of shown) {
        if (first) cwd = place;
        if (command in ELSEWHERE) continue;
        const directory = /^cd (\S+)$/.exec(command)?.[1];
        if (directory !== undefined) {
          cwd = join(cwd, directory);
          continue;
        }
        const printed = await runIn(cwd, place, command);
        expect(`$ ${command}\n${printed.text}`).toMatch(patternOf(command, output, printed.text));
        expect([command, printed.status]).toEqual([command, 0]);
      }
    },
    TIMEOUT,
  );

  it('are each tested elsewhere, if not here', async () => {
    const all = await Promise.all(documents.map(async (path) => shownIn(await readFile(path, 'utf8'))));
    const commands = new Set(all.flat().map(({ command }) => command));
    expect(Object.keys(ELSEWHERE).filter((command) => !commands.has(command))).toEqual([]);
    for (const file of Object.values(ELSEWHERE)) await access(file);
  });
});

describe('docs/image-format.md', () => {
  it('has each field of the record', async () => {
    const place = await prepare('record');
    await runIn(place, place, 'pack-build shop --base oci:base:run --to oci:images:shop');
    const found = await layoutSource({ kind: 'oci', path: join(place, 'images'), tag: 'shop' }).find({
      os: 'linux',
      architecture: ARCHITECTURE,
    });
    const record = JSON.parse(found.image.config.value.config?.Labels?.['dev.pack-build.app'] ?? '');
    const text = await readFile('docs/image-format.md', 'utf8');
    const section = text.slice(text.indexOf('\n## The record\n'), text.indexOf('\n## What a rebase looks at\n'));
    const rows = section.split('\n').filter((line) => line.startsWith('| `'));
    const told = rows.flatMap((row) =>
      [...(row.split(' | ')[0] ?? '').matchAll(/`([\w.[\]]+)`/g)].map(([, name]) => name),
    );
    const optional = ['base.index', 'app.needs.paths', 'app.needs.libraries', 'app.needs.versions'];
    const all = [...fieldsOf(record), ...optional].filter((name) => name !== 'app.needs').sort();
    expect(told.sort()).toEqual(all);
  });
});

describe('docs/library.md', () => {
  it('has an example that runs as it stands', async () => {
    const code = /```js\n([\s\S]*?)```/.exec(await readFile('docs/library.md', 'utf8'))?.[1] ?? '';
    const place = await prepare('library');
    await mkdir(join(place, 'node_modules'));
    await symlink(join(home, 'pack-build'), join(place, 'node_modules/pack-build'));
    await writeFile(join(place, 'example.mjs'), code.replace("'amd64'", `'${ARCHITECTURE}'`));
    const printed = await runIn(place, place, `'${process.execPath}' example.mjs`);
    expect(printed.text).toMatch(/^sha256:[0-9a-f]{64} \[ 'web', 'worker' \]\ntrue 3$/m);
  });
});

describe('docs/cli.md', () => {
  let place = '';
  beforeAll(async () => {
    place = await prepare('json');
    await runIn(place, place, 'pack-build shop --base oci:base:run --to oci:images:shop');
  });

  it.each([
    ['build', 'shop --base oci:base:run --to oci:images:shop'],
    ['detect', 'shop --base oci:base:run'],
    ['rebase', 'oci:images:shop --base oci:patched:run'],
    ['inspect', 'oci:images:shop'],
    ['check', 'oci:images:shop --policy restricted'],
    ['run', 'oci:images:shop'],
    ['base resolve', 'oci:base:run'],
    ['cache info', ''],
    ['cache prune', '--cache-dir other'],
    ['doctor', ''],
  ])('tells the fields of the result of %s', async (name, args) => {
    const printed = await runIn(place, place, `pack-build ${name} ${args} --json 2>/dev/null`);
    const { type, ...fields } = JSON.parse(printed.text.trimEnd().split('\n').at(-1) ?? '');
    const cli = await readFile('docs/cli.md', 'utf8');
    const row = new RegExp(`^\\| \`${name}\` \\| (.*) \\|$`, 'm').exec(cli.slice(cli.indexOf('Fields of the result')));
    const told = [...(row?.[1] ?? '').replace(/\([^)]*\)/g, '').matchAll(/`(\w+)`/g)].map(([, field]) => field);
    expect([type, ...Object.keys(fields).sort()]).toEqual(['result', ...told.sort()]);
  });
});

/** The compiled package as it would be installed. A copy, so that to compile again meanwhile does no harm. */
async function installInto(directory: string): Promise<void> {
  for (const name of ['dist', 'buildpacks', 'package.json']) await cp(name, join(directory, name), { recursive: true });
  await symlink(join(process.cwd(), 'node_modules'), join(directory, 'node_modules'));
}

/** Fields with a name as the table has it: `app.layers[]`, down to values and to members that tables name in words. */
function fieldsOf(record: Readonly<Record<string, unknown>>): readonly string[] {
  return Object.entries(record).flatMap(([name, value]) => {
    if (name !== 'app' && name !== 'base') return [name];
    return Object.entries(value as object).map(
      ([inner, item]) => `${name}.${inner}${Array.isArray(item) && isTable(item) ? '[]' : ''}`,
    );
  });
}

function isTable(list: readonly unknown[]): boolean {
  return typeof list[0] === 'object';
}

/** Two layouts: `base` as it is, and `patched`, whose `run` is the next one. */
async function prepareBases() {
  const base = await tinyBase();
  const patched = join(home, 'patched');
  const platform = { os: 'linux', architecture: ARCHITECTURE };
  const next = await layoutSource({ kind: 'oci', path: base.layout, tag: 'next' }).find(platform);
  await layoutTarget({ kind: 'oci', path: patched, tag: 'run' }).put(next.image, next.blobs);
  return { layout: base.layout, patched, roots: base.roots };
}

/** A directory in which the documents' commands make sense: an app, a buildpack, two bases, and a cache that has a default base. */
async function prepare(name: string): Promise<string> {
  const place = join(home, name.replaceAll(/[/ ]/g, '-'));
  await mkdir(join(place, 'cache/v1/bases'), { recursive: true });
  await symlink(images.roots, join(place, 'cache/v1/roots'));
  await mkdir(join(home, 'inventories'), { recursive: true });
  await symlink(join(home, 'inventories'), join(place, 'cache/v1/inventories'));
  await symlink(images.layout, join(place, 'cache/v1/bases', `debian-12-${DEFAULT_BASE}`));
  await symlink(images.layout, join(place, 'base'));
  await symlink(images.patched, join(place, 'patched'));
  await mkdir(join(place, 'shop'));
  await writeFile(join(place, 'shop/Procfile'), 'web: echo "shop listens on $PORT"\nworker: echo "$DYNO works"\n');
  await cp('fixtures/buildpacks/detects-always', join(place, 'buildpacks/hello'), { recursive: true });
  return place;
}

async function script(path: string, text: string): Promise<void> {
  await writeFile(path, `#!/bin/bash\n${text}\n`);
  await chmod(path, 0o755);
}

/** Commands of all `console` blocks, in order. */
function shownIn(text: string): readonly Shown[] {
  const blocks = [...text.matchAll(/^```console\n([\s\S]*?)^```$/gm)].map(([, block = '']) => block);
  return blocks.flatMap((block) =>
    block
      .split(/^\$ /m)
      .slice(1)
      .map((part, at) => {
        const [command = '', ...output] = part.trimEnd().split('\n');
        return { first: at === 0, command, output };
      }),
  );
}

/** A command for which nothing is shown may print anything. */
function patternOf(command: string, output: readonly string[], printed: string): RegExp {
  const lines = output.length === 0 ? ['…'] : output;
  // Without a last line feed, `run` shows a program's output as it came.
  const end = printed.endsWith('\n') ? '\n' : '';
  const body = lines.map((line) => (line === '…' ? '(?:.*\\n)*?' : `${escaped(line)}\\n`)).join('');
  return new RegExp(`^\\$ ${escaped(command)}\\n${end === '' ? body.replace(/\\n$/, '\\n?') : body}$`);
}

function escaped(line: string): string {
  return line
    .split('…')
    .map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'))
    .join('.*');
}

/** Both outputs in one, in the order of arrival. */
function runIn(
  cwd: string,
  place: string,
  command: string,
): Promise<{ readonly text: string; readonly status: number }> {
  const env = {
    PATH: `${join(home, 'bin')}:${process.env['PATH']}`,
    HOME: home,
    PACK_BUILD_CACHE_DIR: join(place, 'cache'),
    PACK_BUILD_DEFAULT_BASE: 'debian-12',
  };
  return new Promise((resolve) => {
    const child = spawn('/bin/bash', ['-c', `exec 2>&1; ${command}`], {
      cwd,
      env,
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    let text = '';
    child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk;
    });
    child.once('close', (status) => resolve({ text, status: status ?? -1 }));
  });
}
