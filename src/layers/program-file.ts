import { closeSync, constants, openSync, readSync } from 'node:fs';
import { type Elf, type ReadAt, readElf } from './elf.js';

/** A file that something else has to run or to load. */
export type ProgramFile = { readonly type: 'elf'; readonly elf: Elf } | ({ readonly type: 'script' } & FirstLine);

/** The first line of a script. */
export interface FirstLine {
  /** What stands after `#!`, its arguments apart. */
  readonly interpreter: string;
  /** What `env` is to look for, where that is the interpreter. */
  readonly program?: string;
}

/** Looks into a file, never at more than a few pages of it. Undefined for all else, also for what cannot be read. */
export function readProgramFile(path: string): ProgramFile | undefined {
  let file: number;
  try {
    file = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch {
    return undefined;
  }
  try {
    const head = page.subarray(0, readSync(file, page, 0, page.byteLength, 0));
    if (head[0] === 0x7f) {
      const elf = readElf(readerOf(file, head));
      return elf === undefined ? undefined : { type: 'elf', elf };
    }
    const line = firstLineOf(head);
    return line === undefined ? undefined : { type: 'script', ...line };
  } catch {
    return undefined;
  } finally {
    closeSync(file);
  }
}

/** The programs of a script's first line, as the kernel and env(1) read it: undefined where there is none. */
function firstLineOf(head: Uint8Array): FirstLine | undefined {
  if (head[0] !== 0x23 || head[1] !== 0x21) return undefined;
  const text = Buffer.from(head.buffer, head.byteOffset, Math.min(head.byteLength, MAX_LINE)).toString('utf8', 2);
  const [interpreter, ...rest] = (text.split(/[\n\0]/, 1)[0] ?? '').split(/[ \t]+/).filter((word) => word !== '');
  if (interpreter === undefined || !isName(interpreter)) return undefined;
  const program = interpreter.endsWith('/env') ? rest.find((word) => !/^-|=/.test(word)) : undefined;
  return program === undefined || !isName(program) ? { interpreter } : { interpreter, program };
}

function isName(word: string): boolean {
  return !/\p{Cc}|\ufffd/u.test(word);
}

/** Linux reads this much of a script's first line. */
const MAX_LINE = 256;

/** Nothing here waits, so one page serves all. */
const page = Buffer.allocUnsafe(4096);

/** The first page is at hand, and in most files that is where the headers are. */
function readerOf(file: number, head: Uint8Array): ReadAt {
  return (offset, length) => {
    if (offset + length <= head.byteLength) return head.subarray(offset, offset + length);
    const bytes = Buffer.allocUnsafe(length);
    return bytes.subarray(0, readSync(file, bytes, 0, length, offset));
  };
}
