import { undoRebase } from '../../undo-rebase.js';
import { shortDigest } from '../../values/digest.js';
import { fail } from '../../values/error.js';
import { commonFlags, sandboxOption } from '../options.js';
import type { Outcome, Session } from '../session.js';

interface UndoFlags {
  readonly plan?: boolean;
}

/** The flags that go with `--undo`; the others say how to move, and an undo does not. */
const ALLOWED: ReadonlySet<string> = new Set(['undo', 'plan']);

/** `rebase IMAGE --undo`: puts back what was there before the last rebase. */
export async function runUndo(image: string, flags: UndoFlags, { tools, cacheDir }: Session): Promise<Outcome> {
  requireNoOthers(flags);
  const { digest, previous, references } = await undoRebase({ image, planOnly: flags.plan, cacheDir }, tools);
  const data = { digest, previous, references };
  const told = `-----> Back from ${shortDigest(previous)} to ${shortDigest(digest)}`;
  if (flags.plan) return { data, text: told };
  tools.on({ type: 'info', message: told });
  return { data, text: references.join('\n') };
}

function requireNoOthers(flags: object): void {
  const common = commonFlags();
  const sandbox = sandboxOption();
  // This one has a value where nobody has given any.
  const isDefault = (name: string, value: unknown) =>
    name === sandbox.attributeName() && value === sandbox.defaultValue;
  const [other] =
    Object.entries(flags).find(([name, value]) => !ALLOWED.has(name) && !common.has(name) && !isDefault(name, value)) ??
    [];
  if (other === undefined) return;
  const flag = `--${other.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
  throw fail('USAGE', {
    what: `${flag} cannot be given with --undo`,
    why: 'an undo puts back exactly what was there before',
    fix: 'pack-build rebase --help tells more',
  });
}
