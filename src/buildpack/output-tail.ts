import { StringDecoder } from 'node:string_decoder';
import { printable } from './notice.js';

/** The last lines of an output that may be endless. */
export interface OutputTail {
  readonly push: (chunk: Uint8Array) => void;
  /** The last `count` lines that are not blank, printable and without what `\r` has overwritten with as much or more. */
  readonly last: (count: number) => readonly string[];
}

/** Keeps at most `limit` lines of at most `width` characters each. */
export function makeOutputTail(limit = 200, width = 500): OutputTail {
  const decoder = new StringDecoder('utf8');
  let lines: string[] = [];
  let partial = '';
  return {
    push: (chunk) => {
      const parts = (partial + decoder.write(Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength))).split(
        '\n',
      );
      // Of a line without an end only its last part can still be seen.
      partial = (parts.pop() ?? '').slice(-4 * width);
      lines.push(...parts.slice(-limit).map((line) => shown(line, width)));
      if (lines.length > limit) lines = lines.slice(-limit);
    },
    last: (count) => [...lines, shown(partial, width)].filter((line) => line.trim() !== '').slice(-count),
  };
}

function shown(line: string, width: number): string {
  return printable(seen(line)).trimEnd().slice(0, width);
}

/**
 * What of a line a person should see. After `\r` comes a redraw, or a line end that Windows made, or the rest of an error
 * that quotes a text with such an end; a redraw that leaves less than was there shows less than is to be known.
 */
function seen(line: string): string {
  let kept = '';
  let size = 0;
  let cleared = false;
  for (const part of line.split('\r')) {
    cleared ||= CLEARED.test(part);
    const text = printable(part).trim();
    if (text === '') continue;
    if (REST.test(text) && size > 0) kept += `\\r${part}`;
    else if (cleared || text.length >= size) [kept, size] = [part, text.length];
    cleared = part.endsWith('\u001b[2K');
  }
  return kept;
}

/** What a text that an error quotes is followed by. */
const REST = /^['"`:]/;
/** A line that is cleared before it is written anew (ECMA-48, EL). */
const CLEARED = /^\u001b\[[02]?K/;
