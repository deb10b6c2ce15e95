import { asObject, asString, type Located, member, optional, parseJson } from '../values/json.js';

/**
 * The default config vars of an `app.json`: `env.NAME` as a string, or as an object with a `value`. Generated and required
 * ones without a value are the platform's to fill. Throws `CONFIG_INVALID`.
 */
export function appJsonEnv(bytes: Uint8Array): Readonly<Record<string, string>> {
  const env = member(parseJson(bytes, 'app.json', 'CONFIG_INVALID'), 'env');
  if (env.value === undefined || env.value === null) return {};
  return Object.fromEntries(Object.keys(asObject(env)).flatMap((name) => defaultOf(name, member(env, name))));
}

function defaultOf(name: string, at: Located): readonly (readonly [string, string])[] {
  if (typeof at.value === 'string') return [[name, at.value]];
  const value = optional(member(at, 'value'), asString);
  return value === undefined ? [] : [[name, value]];
}
