import { join } from 'node:path';
import { type AuthFile, readAuthFile } from './auth-file.js';
import { askHelper } from './credential-helper.js';

/** Who we are to a registry. */
export type Credentials =
  | { readonly kind: 'password'; readonly user: string; readonly password: string }
  /** Is exchanged for tokens at the registry's token server (OAuth 2, refresh token). */
  | { readonly kind: 'identity'; readonly token: string }
  /** Is sent as it is. */
  | { readonly kind: 'token'; readonly token: string };

export interface CredentialOptions {
  /** The one file to look into. */
  readonly authFile?: string | undefined;
  readonly env: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal | undefined;
}

/** Finds the credentials for a repository; undefined means that we are nobody. */
export type FindCredentials = (host: string, repository: string) => Promise<Credentials | undefined>;

/** Where credentials for a registry are kept. */
export interface CredentialPlace {
  readonly file: string;
  /** `auths` are in the file itself; the others name the program that has them. */
  readonly source: 'auths' | 'credHelpers' | 'credsStore';
  /** That program: `docker-credential-desktop`. */
  readonly helper?: string | undefined;
}

/** A file that was read, and where it lies. */
export interface CredentialFile {
  readonly path: string;
  readonly content: AuthFile;
}

/**
 * Looks into the files of Docker and Podman, in this order, and takes the first that knows the registry: `authFile` alone,
 * if it is given; else REGISTRY_AUTH_FILE alone, if it is set; else `$DOCKER_CONFIG/config.json` (`~/.docker`),
 * `$XDG_RUNTIME_DIR/containers/auth.json`, `$XDG_CONFIG_HOME/containers/auth.json` (`~/.config`). Within a file a helper of
 * this registry comes first, then the store of all, then the entries. Files are read once. Throws `REGISTRY_CREDENTIALS`.
 */
export function credentialsFrom(options: CredentialOptions): FindCredentials {
  let files: Promise<readonly CredentialFile[]> | undefined;
  const found = new Map<string, Promise<Credentials | undefined>>();
  return async (host, repository) => {
    files ??= readCredentialFiles(options);
    const all = await files;
    const key = `${host}/${repository}`;
    const finding = found.get(key) ?? findCredentials(all, host, repository, options).then((it) => it?.credentials);
    found.set(key, finding);
    return finding;
  };
}

/** Reads the files, in their order. Throws `REGISTRY_CREDENTIALS`. */
export async function readCredentialFiles(options: CredentialOptions): Promise<readonly CredentialFile[]> {
  return Promise.all(
    pathsOf(options).map(async ({ path, must }) => ({ path, content: await readAuthFile(path, must) })),
  );
}

/** The files in their order, for those who ask where to log in. */
export function pathsOf({
  authFile,
  env,
}: CredentialOptions): readonly { readonly path: string; readonly must: boolean }[] {
  const chosen = authFile ?? (env['REGISTRY_AUTH_FILE'] || undefined);
  if (chosen !== undefined) return [{ path: chosen, must: authFile !== undefined }];
  const { HOME: home, DOCKER_CONFIG: docker, XDG_RUNTIME_DIR: runtime, XDG_CONFIG_HOME: config } = env;
  const below = (directory: string | undefined, ...rest: readonly string[]) =>
    directory ? [{ path: join(directory, ...rest), must: false }] : [];
  return [
    ...(docker ? below(docker, 'config.json') : below(home, '.docker', 'config.json')),
    ...below(runtime, 'containers', 'auth.json'),
    ...(config ? below(config, 'containers', 'auth.json') : below(home, '.config', 'containers', 'auth.json')),
  ];
}

/** The credentials for a repository, and where they come from. Programs that keep secrets are asked. */
export async function findCredentials(
  files: readonly CredentialFile[],
  host: string,
  repository: string,
  options: CredentialOptions,
): Promise<{ readonly credentials: Credentials; readonly place: CredentialPlace } | undefined> {
  for (const { path, content } of files) {
    const helper = content.helperFor(host);
    const kept = helper === undefined ? undefined : await askHelper(helper, serverOf(host), options);
    if (kept !== undefined) return { credentials: kept, place: helperPlace({ path, content }, host, helper) };
    const entry = content.entryFor(host, repository);
    if (entry !== undefined) return { credentials: entry, place: { file: path, source: 'auths' } };
  }
  return undefined;
}

/** Where a program has the credentials of a host. */
export function helperPlace({ path, content }: CredentialFile, host: string, helper = ''): CredentialPlace {
  const source = content.hasOwnHelper(host) ? 'credHelpers' : 'credsStore';
  return { file: path, source, helper: `docker-credential-${helper}` };
}

/** What helpers know Docker Hub by. */
function serverOf(host: string): string {
  return host === 'docker.io' ? 'https://index.docker.io/v1/' : host;
}
