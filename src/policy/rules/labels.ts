import { type Image, labelsOf } from '../../oci/image.js';
import type { Policy } from '../policy.js';
import type { Violation } from '../violation.js';

const MAX_BYTES = 64 * 1024;

/** What labels and annotations may be called, and what may be in them. */
export function labelRules(image: Image, rules: Policy['labels']): readonly Violation[] {
  if (rules === undefined) return [];
  const { reservedPrefixes = [] } = rules;
  const all = [...Object.entries(labelsOf(image)), ...Object.entries(image.manifest.value.annotations ?? {})];
  return all.flatMap(([name, value]) => {
    const prefix = reservedPrefixes.find((reserved) => name.startsWith(reserved));
    if (prefix !== undefined) return [violation(name, prefix, 'leave the label out: others act on such names')];
    if (/\p{Cc}/u.test(name + value))
      return [violation(name, 'no control characters', 'take line breaks and control characters out')];
    const bytes = Buffer.byteLength(value);
    return bytes > MAX_BYTES ? [violation(name, MAX_BYTES, 'put the text into a file', bytes)] : [];
  });
}

function violation(name: string, limit: string | number, hint: string, bytes?: number): Violation {
  const label = name.slice(0, 200);
  return { code: 'RST_LABEL', got: bytes === undefined ? label : `${label}: ${bytes} bytes`, limit, hint };
}
