/**
 * Takes the secrets out of every URL in a text, for all that is printed or recorded: user names and passwords, which are
 * often tokens, and the values of query parameters whose names speak of tokens, signatures, keys and the like. The user name of an SSH address is no secret and needed.
 */
export function redactUrl(text: string): string {
  return text
    .replace(
      /([a-z][a-z0-9+.-]{0,20}:\/\/)([^/\s?#]*)@/gi,
      (_, scheme: string, user: string) => scheme + userOf(scheme, user),
    )
    .replace(SECRET_QUERY, '$1…');
}

/** Query parameters that by their names carry what opens something, as in pre-signed URLs. */
const SECRET_QUERY = /([?&](?=[^=&?#\s]*(?:token|sig|secret|key|pass|auth|credential))[^=&?#\s]*=)[^&#\s]*/gi;

function userOf(scheme: string, user: string): string {
  const name = user.split(':', 1)[0] ?? '';
  return /ssh:\/\/$/i.test(scheme) && name !== '' ? `${name}@` : '';
}
