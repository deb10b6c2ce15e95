import { isFailure } from '../values/error.js';
import type { Style } from './style.js';

/** An error as people read it: what, why and fix, continued lines indented. */
export function renderError(error: unknown, style: Style): string {
  if (!isFailure(error)) return renderBug(error, style);
  const lines = [`${style.red('error')} ${style.bold(error.code)}: ${error.message}`];
  if (error.why) lines.push(labelled('why:  ', error.why));
  if (error.fix) lines.push(labelled('fix:  ', error.fix));
  return `${lines.join('\n')}\n`;
}

/** An error as a program reads it. */
export function errorJson(error: unknown): object {
  if (!isFailure(error)) {
    const message = error instanceof Error ? error.message : String(error);
    return { type: 'error', code: 'INTERNAL', message, why: null, fix: null, details: {} };
  }
  const { code, message, why, fix, details } = error;
  return { type: 'error', code, message, why: why ?? null, fix: fix ?? null, details };
}

function labelled(label: string, text: string): string {
  return `  ${label}${text.replaceAll('\n', `\n${' '.repeat(label.length + 2)}`)}`;
}

function renderBug(error: unknown, style: Style): string {
  const stack = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return [
    `${style.red('error')} ${style.bold('INTERNAL')}: pack-build reached a state it believed impossible`,
    labelled('why:  ', stack),
    labelled('fix:  ', 'this is a bug of pack-build: please report it with the lines above'),
    '',
  ].join('\n');
}
