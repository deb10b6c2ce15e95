import { isAbsolute, normalize, relative, resolve } from 'node:path';
import type { Lock } from '../settings/lock-file.js';
import { formatPlace, type Place, parsePlace } from '../values/place.js';

/**
 * What the lock of an app calls a base. A local place is named from the app's directory (`source`, absolute), wherever the
 * command was run: so the lock means the same in every checkout. One that has nothing in common with it but the root is named
 * by its whole path. An older lock's name, which is the reference as it was written, stays in use where it stands already.
 */
export function lockNameOf(reference: string, source: string, locked: Lock['bases']): string {
  const name = nameFrom(parsePlace(reference), source) ?? reference;
  return locked[name] === undefined && locked[reference] !== undefined ? reference : name;
}

function nameFrom(place: Place, source: string): string | undefined {
  if (place.kind === 'registry') return undefined;
  return formatPlace({ ...place, path: pathFrom(source, place.path) });
}

function pathFrom(source: string, path: string): string {
  const near = relative(source, resolve(path));
  const isFar = near.startsWith('../../') && resolve(source, '../'.repeat(climbsOf(near))) === '/';
  return isAbsolute(path) && isFar ? normalize(path) : near === '' ? '.' : near;
}

function climbsOf(path: string): number {
  return path.split('/').filter((part) => part === '..').length;
}
