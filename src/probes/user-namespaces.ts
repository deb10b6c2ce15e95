import { readFile } from 'node:fs/promises';
import { findProgram, installCommand } from '../system/tools.js';
import { doubtful, type Finding, fine, missing } from '../values/finding.js';
import { attempt, type ProbeOptions } from './attempt.js';

const NAME = 'user namespaces';

/** The kernel's switches that forbid user namespaces, with the value that does, and how each is turned. */
const SWITCHES = [
  {
    name: 'kernel.apparmor_restrict_unprivileged_userns',
    forbids: '1',
    fix: 'sysctl -w kernel.apparmor_restrict_unprivileged_userns=0, or give /usr/bin/bwrap an AppArmor profile with the rule `userns,`',
  },
  { name: 'kernel.unprivileged_userns_clone', forbids: '0', fix: 'sysctl -w kernel.unprivileged_userns_clone=1' },
  { name: 'user.max_user_namespaces', forbids: '0', fix: 'sysctl -w user.max_user_namespaces=15000' },
] as const;

type Settings = Readonly<Record<string, string>>;

/** Makes a user namespace: with bwrap, which may have a profile that lets it, else with unshare. */
export async function probeUserNamespaces({ env, signal }: ProbeOptions): Promise<Finding> {
  const settings = await readSettings();
  const command = await commandFor(env['PATH']);
  if (command === undefined) {
    const found = 'not tried: there is neither bwrap nor unshare on PATH';
    return doubtful(NAME, found, installCommand('bwrap'), settings);
  }
  const [file = '', ...args] = command;
  const { ok, said } = await attempt({ file, args, signal });
  return ok ? fine(NAME, 'one can be made', settings) : forbidden(said, settings);
}

/** What is said of a machine where none can be made: which of its settings forbids it. */
export function forbidden(said: string, settings: Settings): Finding {
  const found = SWITCHES.find(({ name, forbids }) => settings[name] === forbids);
  if (found !== undefined)
    return missing(NAME, 'SANDBOX_FAILED', `${found.name} is ${found.forbids}: ${said}`, found.fix, settings);
  const fix =
    'inside a container, start that container with --security-opt seccomp=unconfined; or use --sandbox host if you trust the app and its buildpacks';
  return missing(NAME, 'SANDBOX_FAILED', `none can be made, though no sysctl forbids it: ${said}`, fix, settings);
}

async function commandFor(path: string | undefined): Promise<readonly string[] | undefined> {
  const nothing = (await findProgram('true', undefined)) ?? '/bin/true';
  const bwrap = await findProgram('bwrap', path);
  if (bwrap !== undefined) return [bwrap, '--unshare-user', '--ro-bind', '/', '/', '--', nothing];
  const unshare = await findProgram('unshare', path);
  return unshare === undefined ? undefined : [unshare, '--user', '--map-root-user', '--', nothing];
}

async function readSettings(): Promise<Settings> {
  const texts = await Promise.all(
    SWITCHES.map(({ name }) => readFile(`/proc/sys/${name.replaceAll('.', '/')}`, 'utf8').catch(() => undefined)),
  );
  return Object.fromEntries(
    SWITCHES.flatMap(({ name }, at) => (texts[at] === undefined ? [] : [[name, texts[at].trim()]])),
  );
}
