import { runGit } from './git.js';

export interface SourceVersion {
  /** The full id of the commit that is checked out. */
  readonly commit: string;
  /** Seconds since 1970, as the committer's clock had it. */
  readonly time: number;
}

/**
 * The commit of a source that is, or lies in, a git work tree; undefined for any other. Only plumbing that reads one
 * object is run: a repository's own settings can make other commands start programs.
 */
export async function sourceVersion(
  source: string,
  options: { readonly env: Readonly<Record<string, string>>; readonly signal?: AbortSignal | undefined },
): Promise<SourceVersion | undefined> {
  const args = ['-c', `safe.directory=*`, '-C', source, 'cat-file', '--batch'];
  const env = { ...options.env, GIT_ALLOW_PROTOCOL: 'none', GIT_NO_LAZY_FETCH: '1' };
  const result = await runGit(args, { env, signal: options.signal, timeoutMs: 20_000, stdin: 'HEAD\n' }).catch(
    (error) => {
      if (options.signal?.aborted) throw error;
      return undefined;
    },
  );
  if (result?.code !== 0) return undefined;
  const text = new TextDecoder().decode(result.stdout);
  const commit = /^([0-9a-f]{40}|[0-9a-f]{64}) commit /.exec(text)?.[1];
  const time = /^committer .*> (\d{1,12}) [+-]\d{4}$/m.exec(text.split('\n\n', 1)[0] ?? '')?.[1];
  return commit === undefined || time === undefined ? undefined : { commit, time: Number(time) };
}
