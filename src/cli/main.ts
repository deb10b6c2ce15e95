#!/usr/bin/env -S node --
// Without `--`, some versions of Node take --env-file for a flag of their own.
import { version } from './version.js';

const argv = process.argv.slice(2);
// Other programs ask this often: they need not wait for the parser.
if (argv.length === 1 && argv[0] === '--version') console.log(version());
else process.exitCode = await import('./commands.js').then(({ runCommands }) => runCommands(argv));
