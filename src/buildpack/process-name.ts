import { type Notice, quoted } from './notice.js';

/** True for a process type that the Procfile grammar allows: letters, digits, `_` and `-`. */
export function isProcessName(name: string): boolean {
  return /^[A-Za-z0-9_-]+$/.test(name);
}

/** The strict spelling: lower case, `-` for `_`. Two types with one strict spelling would collide on some platforms. */
export function strictName(name: string): string {
  return name.toLowerCase().replaceAll('_', '-');
}

/** A notice for a type whose written name is kept although stricter platforms would respell or refuse it. */
export function nameNotice(name: string): Notice | undefined {
  if (name.length <= 63 && /^[a-z0-9]+(?:-+[a-z0-9]+)*$/.test(name)) return undefined;
  return {
    code: 'PROCESS_NAME',
    message: `process type ${quoted(name)} is kept as written; some platforms take only lower-case letters, digits and inner hyphens, 63 at most`,
  };
}
