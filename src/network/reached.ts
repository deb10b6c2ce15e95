/** A host that a build asked for. `named`: its address was asked for; `allowed` and `refused` are the proxy's words. */
export interface Reached {
  readonly host: string;
  readonly outcome: 'named' | 'allowed' | 'refused';
}

/** Enough to tell what a build did; one that asks for more names than this does not fill our memory. */
const MOST = 1000;

/** Collects what a build reached, each once, and tells `on` of what is new. */
export function collectReached(on: (reached: Reached) => void) {
  const seen = new Map<string, Reached>();
  return {
    add: (reached: Reached) => {
      const key = `${reached.outcome} ${reached.host}`;
      if (seen.has(key) || seen.size >= MOST) return;
      seen.set(key, reached);
      on(reached);
    },
    all: (): readonly Reached[] =>
      [...seen.entries()].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, reached]) => reached),
  };
}

/** The name that a DNS query asks for (RFC 1035, 4.1.2). Undefined for what is no plain query. */
export function queriedName(message: Uint8Array): string | undefined {
  const bytes = Buffer.from(message);
  if (bytes.length < 17 || bytes.readUInt16BE(4) !== 1) return undefined;
  const labels: string[] = [];
  for (let at = 12; at < bytes.length; ) {
    const length = bytes[at] ?? 0;
    if (length === 0) return labels.join('.').toLowerCase();
    if (length > 63 || labels.length > 127) return undefined;
    const label = bytes.subarray(at + 1, at + 1 + length).toString('latin1');
    if (!/^[\w*-]+$/.test(label)) return undefined;
    labels.push(label);
    at += 1 + length;
  }
  return undefined;
}
