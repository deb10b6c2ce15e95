import { type TarSink, tarParser } from './tar-parse.js';
import type { TarProfile } from './tar-profile.js';

/**
 * Reads an uncompressed tar to its end and tells a sink of all that is in it, without a promise for each entry. Throws
 * `ARCHIVE_INVALID` as `tarParser` does, and what the source and the sink throw.
 */
export async function drainTar(bytes: AsyncIterable<Uint8Array>, profile: TarProfile, sink: TarSink): Promise<void> {
  const parser = tarParser(profile, sink);
  for await (const chunk of bytes) parser.push(chunk);
  parser.finish();
}
