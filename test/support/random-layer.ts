import fc from 'fast-check';
import { directory, file, link, type Part, symlink } from './layer-tar.js';

/** Few names, so that paths meet: in one layer, in the next, and through links. */
const name = fc.constantFrom('a', 'b', 'c', 'a.b', 'é');
const path = fc.array(name, { minLength: 1, maxLength: 3 }).map((parts) => parts.join('/'));
const text = fc.constantFrom('', '1', '2');
const mode = fc.constantFrom(0o644, 0o755, 0o600);

/** Any entry, deletions included. */
export const anyPart: fc.Arbitrary<Part> = fc.oneof(
  { weight: 4, arbitrary: fc.tuple(path, text, mode).map(([at, content, bits]) => file(at, content, bits)) },
  {
    weight: 4,
    arbitrary: fc.tuple(path, fc.constantFrom(0o755, 0o700, 0o1777)).map(([at, bits]) => directory(at, bits)),
  },
  {
    weight: 2,
    arbitrary: fc
      .tuple(
        path,
        fc.oneof(
          path,
          path.map((at) => `/${at}`),
          fc.constantFrom('.', '..', '../../..'),
        ),
      )
      .map(([at, to]) => symlink(at, to)),
  },
  { weight: 1, arbitrary: fc.tuple(path, path).map(([at, to]) => link(at, to)) },
  { weight: 2, arbitrary: path.map((at) => file(at.replace(/[^/]+$/, '.wh.$&'))) },
  { weight: 1, arbitrary: path.map((at) => file(`${at}/.wh..wh..opq`)) },
);

/** A tree that a file system can hold: paths with what is there, ancestors first. Some files are names of one file. */
export const anyTree: fc.Arbitrary<readonly Part[]> = fc
  .dictionary(path, fc.tuple(fc.constantFrom('file', 'directory', 'symlink', 'link'), text, mode), { maxKeys: 12 })
  .map((wanted) => {
    const tree = new Map<string, Part>();
    const paths = Object.keys(wanted).sort();
    for (const at of paths) {
      const [type, content, bits] = wanted[at] as [string, string, number];
      const ancestors = at
        .split('/')
        .slice(0, -1)
        .map((_, n, parts) => parts.slice(0, n + 1).join('/'));
      if (ancestors.some((above) => tree.has(above) && tree.get(above)?.[0].type !== 'directory')) continue;
      for (const above of ancestors) if (!tree.has(above)) tree.set(above, directory(above));
      const first = [...tree.values()].find(([entry]) => entry.type === 'file');
      if (type === 'directory') tree.set(at, directory(at, 0o750));
      else if (type === 'symlink') tree.set(at, symlink(at, content || 'x'));
      else if (type === 'link' && first !== undefined) tree.set(at, link(at, first[0].path));
      else tree.set(at, file(at, content, bits));
    }
    return [...tree.values()];
  });
