/** What laying an overlay over an environment gave. */
export interface OverlaidEnv {
  readonly env: readonly string[];
  /** Names that the base had with another value. */
  readonly collisions: readonly string[];
}

/**
 * Lays a sparse overlay over a base's `Env` list. The base's order stays, and so do its entries that the overlay does not
 * name, however odd; new names follow in sorted order.
 */
export function overlayEnv(base: readonly string[], overlay: Readonly<Record<string, string | null>>): OverlaidEnv {
  const placed = new Set<string>();
  const collisions = new Set<string>();
  const kept: string[] = [];
  for (const entry of base) {
    const name = nameOf(entry);
    if (!Object.hasOwn(overlay, name)) {
      kept.push(entry);
      continue;
    }
    const value = overlay[name];
    if (entry !== `${name}=${value}`) collisions.add(name);
    if (typeof value === 'string' && !placed.has(name)) kept.push(`${name}=${value}`);
    placed.add(name);
  }
  const added = Object.keys(overlay).filter((name) => !placed.has(name) && overlay[name] !== null);
  return {
    env: [...kept, ...added.sort(byCodeUnits).map((name) => `${name}=${overlay[name]}`)],
    collisions: [...collisions].sort(byCodeUnits),
  };
}

/** An environment as a record. The last entry of a name wins; an entry without `=` is empty. */
export function envRecord(env: readonly string[]): Readonly<Record<string, string>> {
  return Object.fromEntries(env.map((entry) => [nameOf(entry), entry.slice(nameOf(entry).length + 1)]));
}

function nameOf(entry: string): string {
  const at = entry.indexOf('=');
  return at === -1 ? entry : entry.slice(0, at);
}

function byCodeUnits(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
