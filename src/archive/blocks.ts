/** How many results are waited for at a time: enough for every core to have one in work and one ahead. */
const IN_FLIGHT = 4;

/** Does work for each item, for several at once, and gives the results in the order of the items. */
export async function* inOrder<A, B>(items: AsyncIterable<A>, work: (item: A) => Promise<B>): AsyncGenerator<B> {
  const pending: Promise<B>[] = [];
  for await (const item of items) {
    const result = work(item);
    result.catch(() => {}); // whoever stops reading must not leave an unhandled rejection; it is awaited below
    pending.push(result);
    if (pending.length >= IN_FLIGHT) yield (await pending.shift()) as B;
  }
  for (const result of pending) yield await result;
}

/** Cuts into blocks of one size; only the last may be shorter. No input gives no block. */
export async function* inBlocks(bytes: AsyncIterable<Uint8Array>, size: number): AsyncGenerator<Uint8Array> {
  let parts: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of bytes) {
    let rest = chunk;
    while (length + rest.byteLength >= size) {
      parts.push(rest.subarray(0, size - length));
      yield parts.length === 1 ? (parts[0] as Uint8Array) : Buffer.concat(parts, size);
      rest = rest.subarray(size - length);
      parts = [];
      length = 0;
    }
    if (rest.byteLength > 0) parts.push(rest);
    length += rest.byteLength;
  }
  if (length > 0) yield Buffer.concat(parts, length);
}
