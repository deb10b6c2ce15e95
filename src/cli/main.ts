#!/usr/bin/env -S node --
// Without `--`, some versions of Node take --env-file for a flag of their own.
import { attempted } from './attempted.js';
import { keptHelp } from './kept-help.js';
import { openOutputs } from './outputs.js';
import { version } from './version.js';

// Version and help are asked for often, also by other programs: they need not wait for the parser.
const argv = process.argv.slice(2);
const known = argv.length === 1 && argv[0] === '--version' ? `${version()}\n` : keptHelp(argv);
process.exitCode = await (known === undefined ? run() : print(known));

async function run(): Promise<number> {
  const { runCommands } = await import('./commands.js');
  return runCommands(argv);
}

function print(text: string): Promise<number> {
  const output = openOutputs();
  const write = async () => {
    output.stdout.write(text);
    return 0;
  };
  return attempted(write, output, false);
}
