/** The symlinks of an image, layer upon layer: enough to tell where a path leads. */
export interface LinkView {
  /** Where an entry of this path comes to lie: links above it are followed, the last name is not. Undefined for circles. */
  placeOf(path: string): string | undefined;
  /** Something lies at a place now; with `target`, a symlink. A directory over a directory changes nothing. */
  put(place: string, type: string, target?: string): void;
  /** Nothing of the layers below is at a place any more, or with `inside`, in it. */
  remove(place: string, inside?: boolean): void;
}

interface Node {
  readonly target?: string | undefined;
  readonly children: Map<string, Node>;
}

/** As many as Linux follows. */
const MAX_LINKS = 40;

/** A path that becomes longer by its links leads nowhere that Linux would go. */
const MAX_NAMES = 2048;

/** Holds symlinks and what leads to them, nothing else: most paths of an image need no room here. */
export function linkView(): LinkView {
  const root: Node = { children: new Map() };
  const nodeAt = (names: readonly string[]) =>
    names.reduce<Node | undefined>((node, name) => node?.children.get(name), root);
  return {
    placeOf(path) {
      const slash = path.lastIndexOf('/');
      const directory = slash < 0 ? '' : follow(root, path.slice(0, slash));
      if (directory === undefined) return undefined;
      return directory === '' ? path.slice(slash + 1) : `${directory}/${path.slice(slash + 1)}`;
    },
    put(place, type, target) {
      const { names, name } = split(place);
      const parent = target === undefined ? nodeAt(names) : makeAt(root, names);
      if (target !== undefined) parent?.children.set(name, { target, children: new Map() });
      else if (type !== 'directory' || parent?.children.get(name)?.target !== undefined) parent?.children.delete(name);
    },
    remove(place, inside) {
      const { names, name } = split(place);
      if (inside) nodeAt(place === '' ? [] : [...names, name])?.children.clear();
      else nodeAt(names)?.children.delete(name);
    },
  };
}

function split(place: string): { readonly names: readonly string[]; readonly name: string } {
  const names = place.split('/');
  return { name: names.pop() ?? '', names };
}

function makeAt(root: Node, names: readonly string[]): Node {
  return names.reduce((node, name) => {
    const known = node.children.get(name) ?? { children: new Map() };
    node.children.set(name, known);
    return known;
  }, root);
}

function follow(root: Node, path: string): string | undefined {
  const todo = path.split('/').reverse();
  let done: { readonly name: string; readonly node: Node | undefined }[] = [];
  let links = 0;
  for (let name = todo.pop(); name !== undefined; name = todo.pop()) {
    if (name === '' || name === '.') continue;
    if (name === '..') {
      done.pop();
      continue;
    }
    const here = done.length === 0 ? root : done.at(-1)?.node;
    const node = here?.children.get(name);
    if (node?.target === undefined) {
      done.push({ name, node });
      continue;
    }
    links += 1;
    if (links > MAX_LINKS || todo.length > MAX_NAMES) return undefined;
    if (node.target.startsWith('/')) done = [];
    todo.push(...node.target.split('/').reverse());
  }
  return done.map(({ name }) => name).join('/');
}
