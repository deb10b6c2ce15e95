import { Command, CommanderError } from 'commander';
import { fail } from '../values/error.js';
import { attempted } from './attempted.js';
import { withCommonOptions } from './options.js';
import { type Outputs, openOutputs } from './outputs.js';
import type { CommonFlags, Outcome, Session } from './session.js';
import { version } from './version.js';

type Work = (args: readonly string[], flags: never, session: Session) => Promise<Outcome>;

/** A command: how it is written, and what does it, which is loaded only when it is asked for. */
interface Definition {
  readonly name: string;
  readonly define: (command: Command) => Command;
  readonly work: () => Promise<Work>;
  readonly isDefault?: boolean;
  /** Its words keep the `--` before those that are not flags of ours. */
  readonly keepsDashes?: boolean;
}

/** Runs the command line and gives its exit status: 2 for what cannot be understood. */
export async function runCommandLine(argv: readonly string[], definitions: readonly Definition[]): Promise<number> {
  const output = openOutputs();
  let chosen: (() => Promise<number>) | undefined;
  const program = new Command('pack-build')
    .description(
      'Builds images from apps with classic Heroku buildpacks, and moves them to a new base without a build.',
    )
    .version(version(), '--version', 'print the version')
    .helpOption('--help', 'print this help')
    .helpCommand(false)
    .enablePositionalOptions()
    .configureOutput({ writeOut: (text) => output.stdout.write(text), writeErr: () => undefined })
    .exitOverride(refuse('pack-build'));
  for (const definition of definitions) {
    addCommand(program, output, definition, (run) => {
      chosen = run;
    });
  }
  const parse = async () => {
    await program.parseAsync(dashesKept(argv, definitions), { from: 'user' }).catch((error: unknown) => {
      // What it was asked for, `--help`, it has printed.
      if (!(error instanceof CommanderError)) throw error;
    });
    return 0;
  };
  const own = argv.includes('--') ? argv.slice(0, argv.indexOf('--')) : argv;
  const parsed = await attempted(parse, output, own.includes('--json'));
  return chosen === undefined ? parsed : chosen();
}

/** What the parser does to end the program: throws `USAGE` for what it cannot understand. */
function refuse(name: string): (error: CommanderError) => void {
  return (error) => {
    if (error.exitCode === 0) throw error;
    const isGroup = error.code === 'commander.help';
    const text = isGroup ? `${name} needs a command` : error.message.replace(/^error: /, '');
    const [what = '', hint] = text.split('\n');
    throw fail('USAGE', { what, why: hint?.replace(/^\((.*)\)$/, '$1'), fix: `${name} --help tells more` });
  };
}

function addCommand(
  program: Command,
  output: Outputs,
  { name, define, work, isDefault }: Definition,
  choose: (run: () => Promise<number>) => void,
): void {
  const words = name.split(' ');
  const parent = words.length === 1 ? program : groupOf(program, words[0] as string);
  const command = parent.command(words.at(-1) as string, isDefault ? { isDefault } : {});
  withCommonOptions(define(command.exitOverride(refuse(`pack-build ${name}`)))).action((...parameters: unknown[]) => {
    const self = parameters.at(-1) as Command;
    const args = self.processedArgs.flat().filter((word) => word !== undefined) as string[];
    choose(async () => {
      const { runSession } = await import('./session.js');
      const run = await work();
      return runSession(self.opts<CommonFlags>(), output, (session) => run(args, self.opts() as never, session));
    });
  });
}

/** The parser takes one `--` away. */
function dashesKept(argv: readonly string[], definitions: readonly Definition[]): string[] {
  const at = argv.indexOf('--');
  const keeps = definitions.some(({ name, keepsDashes }) => keepsDashes && name === argv[0]);
  return keeps && at !== -1 ? argv.toSpliced(at, 0, '--') : [...argv];
}

/** `base create` is a command of the group `base`. */
function groupOf(program: Command, name: string): Command {
  const known = program.commands.find((command) => command.name() === name);
  return (
    known ??
    program
      .command(name)
      .description(`${name} commands`)
      .helpOption('--help', 'print this help')
      .helpCommand(false)
      .exitOverride(refuse(`pack-build ${name}`))
  );
}
