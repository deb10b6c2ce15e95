const DIGIT_0 = 0x30;
const DIGIT_7 = 0x37;

/**
 * A number in a tar header: octal digits that NULs or spaces follow, or GNU's base-256 (a first byte of 0x80, or 0xff for
 * less than 0). Undefined for all else, blank fields too: readers disagree about these.
 */
export function numberAt(block: Buffer, at: number, length: number): number | undefined {
  const first = block[at] as number;
  if (first >= 0x80) return base256(block.subarray(at, at + length));
  const end = at + length;
  let value = 0;
  let next = at;
  for (; next < end; next += 1) {
    const byte = block[next] as number;
    if (byte < DIGIT_0 || byte > DIGIT_7) break;
    value = value * 8 + (byte - DIGIT_0);
  }
  if (next === at) return undefined;
  for (; next < end; next += 1) if (block[next] !== 0 && block[next] !== 0x20) return undefined;
  return value;
}

function base256(bytes: Buffer): number | undefined {
  const negative = bytes[0] === 0xff;
  if (!negative && bytes[0] !== 0x80) return undefined;
  let value = negative ? -1n : 0n;
  for (const byte of bytes.subarray(1)) value = (value << 8n) | BigInt(byte);
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : undefined;
}

/** A decimal number without sign and leading zeros; undefined for all else. */
export function decimal(text: string): number | undefined {
  if (!/^(0|[1-9]\d{0,15})$/.test(text)) return undefined;
  const value = Number(text);
  return Number.isSafeInteger(value) ? value : undefined;
}
