import {
  type CredentialFile,
  type CredentialOptions,
  type CredentialPlace,
  findCredentials,
  helperPlace,
  readCredentialFiles,
} from './credentials.js';

/** Where the credentials of a registry are. There is no secret in it. */
export interface Login {
  /** `ghcr.io`, or a part of a registry, as the file has it: `ghcr.io/acme`. */
  readonly registry: string;
  /** True where the program that keeps the secrets has been asked; else it may turn out to have none. */
  readonly isAsked: boolean;
  /** Absent when we are nobody there. */
  readonly place?: CredentialPlace | undefined;
}

/** The registry that everybody asks: unnamed bases are there. */
const USUAL = 'docker.io';

/**
 * The source that answers for each registry that a file names, and for `hosts`. Only for these are programs that keep secrets
 * asked; for the others, the first source is told that may have some. Throws `REGISTRY_CREDENTIALS`.
 */
export async function findLogins(hosts: readonly string[], options: CredentialOptions): Promise<readonly Login[]> {
  const files = await readCredentialFiles(options);
  const named = [...new Set(hosts)];
  const asked = named.map(async (registry) => {
    const found = await findCredentials(files, registry, '', options);
    return { registry, isAsked: true, place: found?.place };
  });
  const others = new Set([USUAL, ...files.flatMap(({ content }) => content.names)]);
  const told = [...others].filter((name) => !named.includes(name));
  return [
    ...(await Promise.all(asked)),
    ...told.map((registry) => ({ registry, isAsked: false, place: firstPlace(registry, files) })),
  ];
}

function firstPlace(registry: string, files: readonly CredentialFile[]): CredentialPlace | undefined {
  const [host = '', ...path] = registry.split('/');
  for (const file of files) {
    const helper = file.content.helperFor(host);
    if (helper !== undefined) return helperPlace(file, host, helper);
    if (file.content.entryFor(host, path.join('/')) !== undefined) return { file: file.path, source: 'auths' };
  }
  return undefined;
}
