// How long the command takes before it does anything, beside Node alone. Prints a table.
import { fileURLToPath } from 'node:url';
import { type Cost, measure, median, table } from '../support/measure.js';

const TIMES = Number(process.argv[2] ?? 20);
const CLI = fileURLToPath(new URL('../../../../dist/cli/main.js', import.meta.url));

const commands: Readonly<Record<string, readonly string[]>> = {
  '`node -e 0`': ['-e', '0'],
  '`pack-build --version`': [CLI, '--version'],
  '`pack-build --help`': [CLI, '--help'],
  '`pack-build rebase --help`': [CLI, 'rebase', '--help'],
};

const costs = Object.entries(commands).map(([name, args]) => ({ name, args, all: [] as Cost[] }));
// In turns, so that what else the machine does falls on all alike.
for (let time = 0; time < TIMES; time += 1)
  for (const { args, all } of costs) all.push(await measure(process.execPath, args));

const rows = costs.map(({ name, all }) => [
  name,
  median(all.map(({ ms }) => ms)).toFixed(0),
  Math.min(...all.map(({ ms }) => ms)).toFixed(0),
  `${median(all.map(({ peakMb }) => peakMb)).toFixed(0)} MB`,
]);
console.log(table(['', 'median of ms', 'least', 'peak memory'], rows));
