import { readFile } from 'node:fs/promises';
import { findProgram, installCommand } from '../system/tools.js';
import { doubtful, type Finding, fine } from '../values/finding.js';
import { attempt, type ProbeOptions } from './attempt.js';
import { statusFields } from './bubblewrap.js';

const NAME = 'seccomp';
const FILTER_FD = 3;

/** One instruction of BPF in this machine's byte order, code and value: let every call pass. */
const ALLOW_ALL = Buffer.concat([
  Buffer.from(Uint16Array.of(0x06, 0).buffer),
  Buffer.from(Uint32Array.of(0x7fff0000).buffer),
]);

/** Has bwrap put a filter of system calls on a program, which then looks whether it is under one. */
export async function probeSeccomp({ env, signal }: ProbeOptions): Promise<Finding> {
  const bwrap = await findProgram('bwrap', env['PATH']);
  if (bwrap === undefined) return withoutBwrap();
  const cat = (await findProgram('cat', undefined)) ?? '/bin/cat';
  const { stdout, said } = await attempt({
    file: bwrap,
    args: ['--unshare-user', '--ro-bind', '/', '/', '--seccomp', `${FILTER_FD}`, '--', cat, '/proc/self/status'],
    descriptors: [{ fd: FILTER_FD, give: ALLOW_ALL }],
    signal,
  });
  const mode = statusFields(stdout)['Seccomp'];
  if (mode === '2') return fine(NAME, 'bwrap can put a filter of system calls on a program', { mode });
  return doubtful(
    NAME,
    `bwrap cannot put a filter of system calls on a program: ${said}`,
    `${installCommand('bwrap')}, and use a kernel with CONFIG_SECCOMP_FILTER`,
    { mode: mode ?? null },
  );
}

async function withoutBwrap(): Promise<Finding> {
  const actions = await readFile('/proc/sys/kernel/seccomp/actions_avail', 'utf8').catch(() => '');
  const kernel = actions.includes('errno') ? 'the kernel has it' : 'the kernel tells nothing of it';
  return doubtful(NAME, `${kernel}; not tried, for there is no bwrap on PATH`, installCommand('bwrap'));
}
