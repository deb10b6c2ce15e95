import { cp, mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { transformFile } from '@swc/core';

/** Compiles these folders of src/ into `dir`, for tests that need this library in a process of its own. */
export async function compileSources(dir: string, folders: readonly string[]): Promise<void> {
  const project = process.cwd();
  await mkdir(dir, { recursive: true });
  await writeFile(join(dir, 'package.json'), '{"type":"module"}');
  await copyPackages(project, join(dir, 'node_modules'));
  for (const folder of folders) {
    for (const name of await readdir(join(project, 'src', folder))) {
      if (name.endsWith('.ts'))
        await compile(join(project, 'src', folder, name), join(dir, folder, name.replace(/ts$/, 'js')));
    }
  }
}

/** The packages that we need at run time. Copied, since another user may not be able to look into the checkout. */
async function copyPackages(project: string, to: string): Promise<void> {
  const from = join(project, 'node_modules');
  const pending = await dependenciesOf(project);
  const copied = new Set<string>();
  for (let name = pending.pop(); name !== undefined; name = pending.pop()) {
    if (copied.has(name)) continue;
    copied.add(name);
    await cp(join(from, name), join(to, name), { recursive: true });
    pending.push(...(await dependenciesOf(join(from, name))));
  }
}

async function dependenciesOf(directory: string): Promise<string[]> {
  return Object.keys(JSON.parse(await readFile(join(directory, 'package.json'), 'utf8')).dependencies ?? {});
}

async function compile(from: string, to: string): Promise<void> {
  const { code } = await transformFile(from, {
    jsc: { parser: { syntax: 'typescript' }, target: 'es2022' },
    module: { type: 'es6' },
  });
  await mkdir(dirname(to), { recursive: true });
  await writeFile(to, code);
}
