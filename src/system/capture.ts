/** Keeps the bytes of a stream from its beginning, up to a limit. */
export interface Capture {
  add(chunk: Uint8Array): void;
  bytes(): Uint8Array;
  /** True when bytes were dropped. */
  truncated(): boolean;
}

/** Keeps the first `limit` bytes. */
export function captureHead(limit: number): Capture {
  const chunks: Uint8Array[] = [];
  let size = 0;
  let dropped = false;
  return {
    add: (chunk) => {
      const kept = chunk.subarray(0, limit - size);
      if (kept.byteLength < chunk.byteLength) dropped = true;
      if (kept.byteLength > 0) chunks.push(kept);
      size += kept.byteLength;
    },
    bytes: () => Buffer.concat(chunks),
    truncated: () => dropped,
  };
}

/** Keeps the last `limit` bytes, as lines of text without control characters: evidence for an error. */
export function captureTail(limit: number): { add(chunk: Uint8Array): void; lines(most: number): readonly string[] } {
  let kept: Uint8Array = new Uint8Array();
  return {
    add: (chunk) => {
      kept = Buffer.concat([kept, chunk]).subarray(-limit);
    },
    lines: (most) => textLines(Buffer.from(kept).toString('utf8')).slice(-most),
  };
}

function textLines(text: string): readonly string[] {
  const plain = text.replace(/\u001b\[[0-9;?]*[ -/]*[@-~]/g, '').replace(/\r\n?/g, '\n');
  return plain
    .split('\n')
    .map((line) => line.replace(/[\u0000-\u0008\u000b-\u001f\u007f]/g, '').trimEnd())
    .filter((line) => line !== '');
}
