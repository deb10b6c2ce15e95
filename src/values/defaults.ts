import { defined } from './json.js';

/** A request of which each member that has a default is there. */
export type WithDefaults<T, D> = Omit<T, keyof D> & {
  readonly [K in keyof D]: K extends keyof T ? Exclude<T[K], undefined> : D[K];
};

/** Gives a request the defaults of what it leaves out; a member that is undefined is left out too. */
export function withDefaults<T extends object, D extends object>(request: T, defaults: D): WithDefaults<T, D> {
  return { ...defaults, ...defined(request) } as WithDefaults<T, D>;
}
