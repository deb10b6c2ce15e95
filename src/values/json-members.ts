/** What JSON.parse lets pass, and other readers see otherwise. */
export interface Oddity {
  readonly what: string;
  readonly why: string;
}

const TOKEN = /"[^"\\]*(?:\\.[^"\\]*)*"|[{}[\]]/gs;

/**
 * The first thing in a text, which JSON.parse has taken, that readers understand in two ways: a member that an object has
 * twice (RFC 8259, section 4), or half of a surrogate pair. Linear in the text.
 */
export function oddityOf(text: string): Oddity | undefined {
  /** The names seen in each object that is open; none for a list. */
  const open: (Set<string> | undefined)[] = [];
  for (const { 0: token, index } of text.matchAll(TOKEN)) {
    if (token === '{') open.push(new Set());
    else if (token === '[') open.push(undefined);
    else if (token === '}' || token === ']') open.pop();
    else {
      const value = token.includes('\\') ? (JSON.parse(token) as string) : token.slice(1, -1);
      if (!value.isWellFormed()) return { what: 'has text that is not Unicode', why: `found ${token.slice(0, 80)}` };
      if (!isName(text, index + token.length)) continue;
      const names = open.at(-1);
      if (names?.has(value)) {
        return { what: `has the member ${token.slice(0, 80)} twice`, why: 'readers differ in which of the two counts' };
      }
      names?.add(value);
    }
  }
  return undefined;
}

/** A string before a colon is a member's name. */
function isName(text: string, end: number): boolean {
  let at = end;
  while (/\s/.test(text.charAt(at))) at += 1;
  return text.charAt(at) === ':';
}
