import type { ReadEntry, TarHead } from './tar-entry.js';
import { tarParser } from './tar-parse.js';
import type { TarProfile } from './tar-profile.js';

/** What was read and not taken yet: heads, parts of contents, and ends of contents. */
type Event = TarHead | Uint8Array | 'end';

/**
 * Reads an uncompressed tar, entry by entry, for those who wait between its parts; `tarParser` is for all others. Reads the
 * source to its end, also past the end mark. Throws `ARCHIVE_INVALID` as `tarParser` does; an error of the source is thrown as it is.
 */
export async function* readTar(bytes: AsyncIterable<Uint8Array>, profile: TarProfile): AsyncGenerator<ReadEntry> {
  const next = events(bytes, profile)[Symbol.asyncIterator]();
  try {
    for (let event = await next.next(); !event.done; event = await next.next()) {
      const head = event.value as TarHead;
      let open = true;
      const content = async function* () {
        while (open) {
          const part = await next.next();
          open = part.value instanceof Uint8Array;
          if (open) yield part.value as Uint8Array;
        }
      };
      yield { ...head, content: content() };
      for await (const _ of content());
    }
  } finally {
    await next.return(undefined);
  }
}

async function* events(bytes: AsyncIterable<Uint8Array>, profile: TarProfile): AsyncGenerator<Event> {
  let queue: Event[] = [];
  const parser = tarParser(profile, {
    begin: (head) => queue.push(head),
    data: (part) => queue.push(part),
    end: () => queue.push('end'),
  });
  for await (const chunk of bytes) {
    parser.push(chunk);
    const ready = queue;
    queue = [];
    yield* ready;
  }
  parser.finish();
}
