import type { ReachOptions } from './options.js';
import type { HttpTuning } from './tuning.js';

export interface DownloadOptions extends ReachOptions {
  readonly tuning?: Partial<HttpTuning> | undefined;
}

/** A file to get. */
export interface DownloadRequest {
  /** http or https, without a user. */
  readonly url: URL;
  readonly headers?: Readonly<Record<string, string>> | undefined;
  /** More bytes than this are refused. */
  readonly most: number;
  /** For one try of the whole transfer. */
  readonly timeoutMs: number;
  readonly signal?: AbortSignal | undefined;
}

/** `kept` is what `keep` made of the bytes; it is there when the status is 200. */
export interface Downloaded<T> {
  readonly status: number;
  readonly kept?: T;
}

/**
 * Gets a file and hands its bytes to `keep`, which is called anew when a transfer breaks off: three times at most. Only the
 * host of the request may be in a private network, and only it sees the headers. Throws `REGISTRY_UNREACHABLE`,
 * `REGISTRY_TIMEOUT`, `REGISTRY_ADDRESS`, `REGISTRY_INVALID`, `CONFIG_INVALID`, and what `keep` throws.
 */
export type Download = <T>(
  request: DownloadRequest,
  keep: (bytes: AsyncIterable<Uint8Array>) => Promise<T>,
) => Promise<Downloaded<T>>;

/** Downloads as these options say. Until something is, nothing of what that takes is loaded. */
export function downloads(options: DownloadOptions): Download {
  let opening: Promise<Download> | undefined;
  return async (request, keep) => {
    opening ??= import('./transfer.js').then(({ transfers }) => transfers(options));
    return (await opening)(request, keep);
  };
}
