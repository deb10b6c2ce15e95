/** Writes a piece of text so that it stands out, if the stream is a terminal that shows colours. */
export interface Style {
  bold(text: string): string;
  red(text: string): string;
  yellow(text: string): string;
}

/** Colour only on a terminal, never with NO_COLOR (no-color.org) or TERM=dumb. */
export function styleFor(
  stream: { readonly isTTY?: boolean },
  env: Readonly<Record<string, string | undefined>>,
): Style {
  const plain = stream.isTTY !== true || (env['NO_COLOR'] ?? '') !== '' || env['TERM'] === 'dumb';
  const paint = (open: number, close: number) => (text: string) =>
    plain ? text : `\u001b[${open}m${text}\u001b[${close}m`;
  return { bold: paint(1, 22), red: paint(31, 39), yellow: paint(33, 39) };
}
