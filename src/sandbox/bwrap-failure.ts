import { readFile } from 'node:fs/promises';
import { fail, type PackBuildError } from '../values/error.js';
import type { SandboxCommand } from './sandbox.js';

/** The error for a sandbox that bwrap could not make, or a program that it could not start in it. */
export async function bwrapFailure(
  command: SandboxCommand,
  lines: readonly string[],
  status: number,
): Promise<PackBuildError> {
  const said = lines.findLast((line) => line.startsWith('bwrap: '))?.slice('bwrap: '.length);
  const why = said ?? `bwrap ended with status ${status} and said nothing`;
  const details = { status, root: command.root, program: command.argv[0] };
  const what = headline(said, command);
  return fail('SANDBOX_FAILED', { what, why, fix: await fixFor(why, command), details });
}

function headline(said: string | undefined, command: SandboxCommand): string {
  if (said?.startsWith('execvp ')) return `${command.argv[0]} could not be started in the sandbox`;
  return `bubblewrap could not make the sandbox for ${command.argv[0]}`;
}

async function fixFor(why: string, command: SandboxCommand): Promise<string | undefined> {
  if (why.startsWith('execvp ')) {
    return 'check that the file exists in the sandbox, may be executed, and has an interpreter there (see its first line, which must not end in a carriage return)';
  }
  if (/namespace|uid map|gid map|max_user_namespaces/i.test(why)) return await namespaceFix();
  if (/mount proc|remount|Operation not permitted/i.test(why)) {
    return 'inside a container, start that container with --security-opt seccomp=unconfined --security-opt systempaths=unconfined --security-opt apparmor=unconfined; or use --sandbox host if you trust the app and its buildpacks';
  }
  const point = /(?:mkdir parents for|create file at|mkdir|mount on) (\/\S+?):?(?:\s|$)/.exec(why)?.[1];
  if (point !== undefined)
    return `make ${point.replace(/^\/newroot/, '')} in the base (${command.root}), so that it can be mounted over`;
  return undefined;
}

/** Which of the kernel's switches forbids user namespaces: each has its own cure. */
async function namespaceFix(): Promise<string> {
  if ((await setting('kernel/apparmor_restrict_unprivileged_userns')) === '1') {
    return 'AppArmor restricts user namespaces here (Ubuntu): sysctl -w kernel.apparmor_restrict_unprivileged_userns=0, or give /usr/bin/bwrap an AppArmor profile with the rule `userns,`';
  }
  if ((await setting('kernel/unprivileged_userns_clone')) === '0')
    return 'sysctl -w kernel.unprivileged_userns_clone=1';
  if ((await setting('user/max_user_namespaces')) === '0') return 'sysctl -w user.max_user_namespaces=15000';
  return 'allow user namespaces for this user: inside a container, start it with --security-opt seccomp=unconfined; or use --sandbox host if you trust the app and its buildpacks';
}

async function setting(name: string): Promise<string | undefined> {
  return await readFile(`/proc/sys/${name}`, 'utf8').then(
    (text) => text.trim(),
    () => undefined,
  );
}
