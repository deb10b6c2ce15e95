import { constants, open as openWithCallback } from 'node:fs';
import { type FileHandle, open, rm } from 'node:fs/promises';
import { Socket } from 'node:net';
import type { Readable } from 'node:stream';
import { promisify } from 'node:util';

/** A pipe: `writer` goes to a child as one or more of its descriptors, `reader` stays here. */
export interface Pipe {
  readonly reader: Readable;
  readonly writer: FileHandle;
}

/**
 * Opens a named pipe, read and write end, and removes its name.
 *
 * Node gives children socket pairs, and a script that writes to `/dev/stderr` or `/dev/stdout` fails on a socket with
 * ENXIO. One pipe as both stdout and stderr also keeps the order in which the two were written.
 */
export async function openPipe(path: string): Promise<Pipe> {
  // A bare descriptor, for the socket will close it: a file handle would close the number again, perhaps another's by then.
  const source = await openDescriptor(path, constants.O_RDONLY | constants.O_NONBLOCK);
  // A socket reads a pipe without holding a thread.
  const reader = new Socket({ fd: source, readable: true, writable: false });
  try {
    const writer = await open(path, constants.O_WRONLY);
    await rm(path);
    return { reader, writer };
  } catch (error) {
    reader.destroy();
    throw error;
  }
}

const openDescriptor = promisify(openWithCallback);
