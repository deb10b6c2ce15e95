/** Takes secrets out of an output that comes in pieces of any size. */
export interface Redactor {
  /** What can be shown by now: a secret may have begun at the end of what came, and that is held back. */
  push(chunk: Uint8Array): Uint8Array;
  /** What was held back. Nothing more may come. */
  end(): Uint8Array;
}

/** What stands in a secret's place. As a YAML value it is a plain string. */
export const REDACTED = '<redacted>';

/** Shorter values are words that any output has: `true`, `8080`, `info`. */
const LEAST_BYTES = 8;

/**
 * The secrets among config vars (R122): each value of 8 bytes or more, without the line feeds at its end, which a shell
 * drops; and each such line of a value of several lines, since scripts indent what they print.
 */
export function secretsOf(configVars: Readonly<Record<string, string>>): readonly Buffer[] {
  const texts = Object.values(configVars).flatMap((value) => [value.replace(/[\r\n]+$/, ''), ...value.split(/\r?\n/)]);
  const secrets = [...new Set(texts)].map((text) => Buffer.from(text));
  return secrets.filter((secret) => secret.length >= LEAST_BYTES);
}

/** Replaces each occurrence of a secret; those that overlap are replaced as one. Holds no more than the longest secret. */
export function makeRedactor(secrets: readonly Buffer[]): Redactor {
  let held: Buffer = Buffer.alloc(0);
  // So many bytes at the beginning of what is held belong to a secret whose replacement is out.
  let hidden = 0;
  const pass = (bytes: Buffer, until: number): Buffer => {
    const spans = joined([{ begin: 0, end: hidden }, ...spansOf(bytes, secrets)]);
    const shown = withoutSpans(bytes.subarray(0, until), hidden > 0 ? spans : spans.slice(1), hidden > 0);
    const last = spans.findLast(({ begin }, at) => begin < until || (at === 0 && hidden > 0));
    hidden = Math.max(0, (last?.end ?? 0) - until);
    held = bytes.subarray(until);
    return shown;
  };
  return {
    push: (chunk) => {
      if (secrets.length === 0) return chunk;
      const bytes = Buffer.concat([held, chunk]);
      return pass(bytes, Math.min(...secrets.map((secret) => beginOfPart(bytes, secret))));
    },
    end: () => pass(held, held.length),
  };
}

/** Redacts a text that is there as a whole. */
export function redacted(text: string, secrets: readonly Buffer[]): string {
  if (secrets.length === 0) return text;
  const bytes = Buffer.from(text);
  return withoutSpans(bytes, spansOf(bytes, secrets)).toString();
}

interface Span {
  readonly begin: number;
  readonly end: number;
}

function spansOf(bytes: Buffer, secrets: readonly Buffer[]): readonly Span[] {
  const found: Span[] = [];
  for (const secret of secrets) {
    for (let at = bytes.indexOf(secret); at !== -1; at = bytes.indexOf(secret, at + 1))
      found.push({ begin: at, end: at + secret.length });
  }
  return joined(found);
}

function joined(spans: readonly Span[]): readonly Span[] {
  const all: Span[] = [];
  for (const span of [...spans].sort((a, b) => a.begin - b.begin || a.end - b.end)) {
    const last = all.at(-1);
    if (last === undefined || span.begin >= last.end) all.push(span);
    else all[all.length - 1] = { begin: last.begin, end: Math.max(last.end, span.end) };
  }
  return all;
}

/** Where, at the end of these bytes, a part of the secret begins that may yet become whole. */
function beginOfPart(bytes: Buffer, secret: Buffer): number {
  const first = secret[0] as number;
  const from = Math.max(0, bytes.length - secret.length + 1);
  for (let at = bytes.indexOf(first, from); at !== -1; at = bytes.indexOf(first, at + 1))
    if (bytes.subarray(at).equals(secret.subarray(0, bytes.length - at))) return at;
  return bytes.length;
}

/** `isOut`: the replacement of the first span was given before. */
function withoutSpans(bytes: Buffer, spans: readonly Span[], isOut = false): Buffer {
  const parts: Buffer[] = [];
  let at = 0;
  for (const [index, { begin, end }] of spans.entries()) {
    if (begin >= bytes.length) break;
    parts.push(bytes.subarray(at, begin), index === 0 && isOut ? Buffer.alloc(0) : Buffer.from(REDACTED));
    at = end;
  }
  return Buffer.concat([...parts, bytes.subarray(at)]);
}
