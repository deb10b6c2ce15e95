/** Bytes in decimal units, as disks and downloads are told, and in binary ones. */
const UNITS: Readonly<Record<string, number>> = {
  B: 1,
  kB: 1e3,
  KB: 1e3,
  MB: 1e6,
  GB: 1e9,
  TB: 1e12,
  KiB: 2 ** 10,
  MiB: 2 ** 20,
  GiB: 2 ** 30,
  TiB: 2 ** 40,
};

/** What `parseSize` reads, for messages. */
export const SIZE_FORM = 'a number with a unit: 500MB, 1.5GB (decimal), 512MiB, 1GiB (binary), 0B';

/** Reads a size such as `500MB` or `1.5 GiB`, in bytes. Undefined for a text that has no unit or is no size. */
export function parseSize(text: string): number | undefined {
  const [, number = '', unit = ''] = /^(\d{1,9}(?:\.\d{1,3})?) ?([a-zA-Z]+)$/.exec(text) ?? [];
  const factor = Object.hasOwn(UNITS, unit) ? UNITS[unit] : undefined;
  return factor === undefined ? undefined : Math.floor(Number(number) * factor);
}

/** Bytes for people: `512 B`, `1.5 kB`, `300 MB`, `1.2 GB`. */
export function formatSize(bytes: number): string {
  const unit = ['TB', 'GB', 'MB', 'kB'].find((name) => bytes >= (UNITS[name] as number)) ?? 'B';
  return `${Number((bytes / (UNITS[unit] as number)).toFixed(1))} ${unit}`;
}
