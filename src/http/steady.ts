/**
 * Passes bytes on as they come. When we have waited through two periods of `silenceMs` and fewer than `leastBytes` came in
 * each, `tooSlow` is called. Time that the reader takes for itself is not held against the sender.
 */
export async function* steady(
  bytes: AsyncIterable<Uint8Array>,
  { silenceMs, leastBytes }: { readonly silenceMs: number; readonly leastBytes: number },
  tooSlow: () => void,
): AsyncGenerator<Uint8Array> {
  let came = 0;
  let slowPeriods = 0;
  let isWaiting = true;
  const watch = setInterval(() => {
    slowPeriods = isWaiting && came < leastBytes ? slowPeriods + 1 : 0;
    came = 0;
    if (slowPeriods === 2) tooSlow();
  }, silenceMs / 2);
  try {
    for await (const chunk of bytes) {
      came += chunk.byteLength;
      isWaiting = false;
      yield chunk;
      isWaiting = true;
    }
  } finally {
    clearInterval(watch);
  }
}
