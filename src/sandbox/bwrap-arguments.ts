import type { Mount, SandboxCommand } from './sandbox.js';

/** The options of bwrap(1) that make the sandbox of this command. Order matters: later mounts lie over earlier ones. */
export function bwrapArguments(command: SandboxCommand, hostFiles: readonly Mount[]): readonly string[] {
  const uid = command.user === 'root' ? '0' : '1000';
  return [
    ...['--unshare-user', '--unshare-pid', '--unshare-ipc', '--unshare-uts', '--unshare-cgroup-try'],
    // Without a network of the host's, there is a loopback of its own, which bwrap brings up.
    ...(command.network === 'none' ? ['--unshare-net'] : []),
    // The caller's user is mapped to this one, so what is written belongs to the caller outside. No way back to more rights.
    ...['--disable-userns', '--cap-drop', 'ALL', '--uid', uid, '--gid', uid, '--hostname', 'build'],
    '--die-with-parent',
    ...(command.init === undefined ? [] : ['--as-pid-1']),
    ...sessionOptions(command),
    ...['--ro-bind', command.root, '/', '--proc', '/proc', '--dev', '/dev'],
    ...[...command.mounts, ...hostFiles].flatMap(mountOptions),
    // Where root calls us, the kernel's own settings are writable files of ours, capabilities or not: core_pattern is a way out.
    ...['--remount-ro', '/proc'],
    '--clearenv',
    ...Object.entries(command.env).flatMap(([name, value]) => ['--setenv', name, value]),
    ...['--chdir', command.cwd],
  ];
}

/**
 * A new session takes the controlling terminal away: a process in the sandbox could otherwise put characters into the
 * terminal's input (TIOCSTI), to be run by the user's shell afterwards. A process that the user talks to keeps the
 * terminal, and with it that power on kernels before 6.2: `run` is for images one is willing to run.
 */
function sessionOptions(command: SandboxCommand): readonly string[] {
  return command.output === 'inherit' ? [] : ['--new-session'];
}

function mountOptions({ from, to, writable }: Mount): readonly string[] {
  return [writable ? '--bind' : '--ro-bind', from, to];
}
