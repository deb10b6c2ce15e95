const UNITS = [
  ['year', 365 * 86_400],
  ['month', 30 * 86_400],
  ['day', 86_400],
  ['hour', 3_600],
  ['minute', 60],
] as const;

/** Seconds since a time (RFC 3339). Undefined for what is no time, has yet to come, or is the constant of reproducible images. */
export function ageOf(created: string | undefined, now: number): number | undefined {
  const time = Date.parse(created ?? '');
  if (Number.isNaN(time) || time < Date.UTC(1981) || time > now) return undefined;
  return Math.floor((now - time) / 1000);
}

/** The same in words: the largest unit of which there are two or more. */
export function describeAge(created: string | undefined, now: number): string | undefined {
  const age = ageOf(created, now);
  if (age === undefined) return undefined;
  const [name, seconds] = UNITS.find(([, unit]) => age >= 2 * unit) ?? (['second', 1] as const);
  const count = Math.floor(age / seconds);
  return `${count} ${name}${count === 1 ? '' : 's'}`;
}
