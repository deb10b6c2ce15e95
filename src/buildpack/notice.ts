/** Something a user should know that stops nothing. The caller hands it on as an event of type `notice`. */
export interface Notice {
  readonly code: string;
  readonly message: string;
}

/** A piece of foreign text as it may stand in a message: quoted, one line, control characters escaped, cut. */
export function quoted(text: string, limit = 80): string {
  const escaped = JSON.stringify(text.slice(0, limit)).slice(1, -1).replace(ODD, escapeOdd);
  return `\`${escaped}${text.length > limit ? '…' : ''}\``;
}

/** Text of a script for a message: control characters but tab and line feed are dropped, with whole ANSI sequences. */
export function printable(text: string): string {
  return text.replace(ANSI, '').replace(CONTROL, '');
}

/** C1 controls, direction marks and line separators, which JSON leaves alone. */
const ODD = /[\u007f-\u009f\u200e\u200f\u2028-\u202e\u2066-\u2069]/g;
const ANSI = /\u001b(?:\[[0-9;:?]*[ -/]*[@-~]|\][^\u0007\u001b]*(?:\u0007|\u001b\\)?|[@-Z\\-_])/g;
const CONTROL = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u200e\u200f\u2028-\u202e\u2066-\u2069]/g;

function escapeOdd(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
}
