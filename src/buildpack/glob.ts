/** A pattern over the segments of a relative path, with the rules of Ruby's `Dir.glob`. */
export type Glob = readonly (typeof ANY_DEPTH | Segment)[];

const ANY_DEPTH = Symbol('**/');
type Segment = readonly Token[];
type Token =
  | { readonly is: 'literal'; readonly text: string }
  | { readonly is: 'one' | 'star' | 'never' }
  | { readonly is: 'set'; readonly ranges: readonly (readonly [string, string])[]; readonly negated: boolean };

/** Above this many alternatives a pattern of braces is refused. */
export const MAX_ALTERNATIVES = 1000;

/**
 * Compiles one pattern without braces. `*`, `?` and sets do not match a leading dot or a slash, `**` before a slash
 * matches directories that are not hidden, to any depth; a backslash takes a character's meaning away.
 */
export function compileGlob(pattern: string): Glob {
  const parts = pattern.split('/').filter((part) => part !== '' && part !== '.');
  const glob = parts.map((part, index) =>
    part === '**' && index < parts.length - 1 ? ANY_DEPTH : compileSegment(part),
  );
  // Several in a row mean the same as one, and would cost.
  return glob.filter((part, index) => part !== ANY_DEPTH || glob[index - 1] !== ANY_DEPTH);
}

/** True when the whole path matches. Time is bounded by the product of the two lengths. */
export function matchesGlob(glob: Glob, path: readonly string[]): boolean {
  let states = new Set(reach(glob, 0));
  for (const name of path) {
    const next = new Set<number>();
    for (const state of states) {
      const part = glob[state];
      if (part === undefined) continue;
      if (part === ANY_DEPTH) {
        if (!name.startsWith('.')) for (const each of reach(glob, state)) next.add(each);
      } else if (matchesSegment(part, name)) {
        for (const each of reach(glob, state + 1)) next.add(each);
      }
    }
    if (next.size === 0) return false;
    states = next;
  }
  return states.has(glob.length);
}

/** Turns `a{b,c}` into `ab` and `ac`. Returns undefined when there are more than `MAX_ALTERNATIVES`. */
export function expandBraces(pattern: string): readonly string[] | undefined {
  let done: string[] = [];
  let open = [pattern];
  while (open.length > 0) {
    const next: string[] = [];
    for (const each of open) {
      const found = firstBraces(each);
      if (found === undefined) done = [...done, each];
      else next.push(...found.choices.map((choice) => found.before + choice + found.after));
      if (done.length + next.length > MAX_ALTERNATIVES) return undefined;
    }
    open = next;
  }
  return done;
}

/** This state, and the next if an any-depth may match no directory at all. */
function reach(glob: Glob, state: number): readonly number[] {
  return glob[state] === ANY_DEPTH ? [state, state + 1] : [state];
}

function compileSegment(text: string): Segment {
  const tokens: Token[] = [];
  for (let at = 0; at < text.length; ) {
    const character = String.fromCodePoint(text.codePointAt(at) as number);
    if (character === '[') {
      const set = readSet(text, at);
      tokens.push(set?.token ?? { is: 'never' });
      at = set?.end ?? text.length;
    } else if (character === '\\' && at + 1 < text.length) {
      const next = String.fromCodePoint(text.codePointAt(at + 1) as number);
      tokens.push({ is: 'literal', text: next });
      at += 1 + next.length;
    } else {
      if (character === '*') {
        if (tokens.at(-1)?.is !== 'star') tokens.push({ is: 'star' });
      } else tokens.push(character === '?' ? { is: 'one' } : { is: 'literal', text: character });
      at += character.length;
    }
  }
  return tokens;
}

/** Reads `[a-z]`, `[^a]` or `[!a]`. A set that is not closed matches nothing. */
function readSet(text: string, open: number): { token: Token; end: number } | undefined {
  let at = open + 1;
  const negated = text[at] === '^' || text[at] === '!';
  if (negated) at += 1;
  const ranges: [string, string][] = [];
  const read = (): string | undefined => {
    if (text[at] === '\\') at += 1;
    const code = text.codePointAt(at);
    if (code === undefined) return undefined;
    const character = String.fromCodePoint(code);
    at += character.length;
    return character;
  };
  while (text[at] !== ']') {
    const from = read();
    if (from === undefined) return undefined;
    let to: string | undefined = from;
    if (text[at] === '-' && text[at + 1] !== ']' && at + 1 < text.length) {
      at += 1;
      to = read();
      if (to === undefined) return undefined;
    }
    ranges.push([from, to]);
  }
  return { token: { is: 'set', ranges, negated }, end: at + 1 };
}

/** Greedy with one point to come back to, which is enough for stars within a segment. */
function matchesSegment(segment: Segment, name: string): boolean {
  const first = segment[0];
  if (name.startsWith('.') && (first?.is !== 'literal' || first.text !== '.')) return false;
  const characters = [...name];
  let at = 0;
  let token = 0;
  let star: { token: number; at: number } | undefined;
  while (at < characters.length) {
    const current = segment[token];
    if (current?.is === 'star') {
      star = { token, at };
      token += 1;
    } else if (current !== undefined && matchesToken(current, characters[at] as string)) {
      token += 1;
      at += 1;
    } else if (star !== undefined) {
      star = { token: star.token, at: star.at + 1 };
      token = star.token + 1;
      at = star.at;
    } else return false;
  }
  while (segment[token]?.is === 'star') token += 1;
  return token === segment.length;
}

function matchesToken(token: Token, character: string): boolean {
  if (token.is === 'literal') return token.text === character;
  if (token.is === 'set')
    return token.ranges.some(([from, to]) => from <= character && character <= to) !== token.negated;
  return token.is === 'one';
}

function firstBraces(pattern: string): { before: string; choices: readonly string[]; after: string } | undefined {
  let depth = 0;
  let start = -1;
  let from = 0;
  const choices: string[] = [];
  for (let at = 0; at < pattern.length; at += 1) {
    const character = pattern[at];
    if (character === '\\') at += 1;
    else if (character === '{') {
      depth += 1;
      if (depth === 1) {
        start = at;
        from = at + 1;
      }
    } else if (character === ',' && depth === 1) {
      choices.push(pattern.slice(from, at));
      from = at + 1;
    } else if (character === '}' && depth > 0) {
      depth -= 1;
      if (depth === 0) {
        choices.push(pattern.slice(from, at));
        return { before: pattern.slice(0, start), choices, after: pattern.slice(at + 1) };
      }
    }
  }
  return undefined;
}
