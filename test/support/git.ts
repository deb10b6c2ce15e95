import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

/** Runs git without any settings of this machine's user, at a fixed time. Returns what it printed. */
export async function git(directory: string, ...args: readonly string[]): Promise<string> {
  const names = ['-c', 'user.name=A', '-c', 'user.email=a@example.com', '-c', 'init.defaultBranch=main'];
  const env = {
    PATH: process.env['PATH'] ?? '',
    HOME: directory,
    GIT_CONFIG_NOSYSTEM: '1',
    GIT_CONFIG_GLOBAL: '/dev/null',
    GIT_AUTHOR_DATE: '2026-03-04T05:06:07Z',
    GIT_COMMITTER_DATE: '2026-03-04T05:06:07Z',
  };
  return (await promisify(execFile)('git', [...names, '-C', directory, ...args], { env })).stdout.trim();
}

/** Makes a directory a repository with one commit of all that it holds. Returns the commit. */
export async function commitAll(directory: string): Promise<string> {
  await git(directory, 'init', '-q');
  await git(directory, 'add', '-A');
  await git(directory, 'commit', '-qm', 'all');
  return git(directory, 'rev-parse', 'HEAD');
}
