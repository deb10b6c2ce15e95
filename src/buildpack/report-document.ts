import { parseDocument } from 'yaml';

/** A flat report: one level of names and plain values. */
export type Report = Readonly<Record<string, string | number | boolean | null>>;

const MAX_REPORT_BYTES = 64 * 1024;

/** Reads what bin/report printed, YAML or JSON (R90). Anything but a small flat mapping gives undefined: it never fails a build. */
export function parseReport(stdout: Uint8Array): Report | undefined {
  if (stdout.byteLength === 0 || stdout.byteLength > MAX_REPORT_BYTES) return undefined;
  const value = parse(new TextDecoder('utf-8').decode(stdout));
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined;
  const entries = Object.entries(value);
  return entries.every(([, item]) => isPlain(item)) ? (Object.fromEntries(entries) as Report) : undefined;
}

function parse(text: string): unknown {
  try {
    const document = parseDocument(text, { schema: 'core', uniqueKeys: true, strict: true });
    if (document.errors.length > 0 || document.warnings.length > 0) return undefined;
    return document.toJS({ maxAliasCount: 0 });
  } catch {
    return undefined;
  }
}

function isPlain(value: unknown): boolean {
  return value === null || ['string', 'number', 'boolean'].includes(typeof value);
}
