#!/usr/bin/env -S node --
// Without `--`, some versions of Node take --env-file for a flag of their own.
import { keptHelp } from './kept-help.js';
import { version } from './version.js';

// Version and help are asked for often, also by other programs: they need not wait for the parser.
const argv = process.argv.slice(2);
const known = argv.length === 1 && argv[0] === '--version' ? `${version()}\n` : keptHelp(argv);
if (known !== undefined) process.stdout.write(known);
else process.exitCode = await import('./commands.js').then(({ runCommands }) => runCommands(argv));
