import { collectAnswer } from '../http/answer-bytes.js';
import { MAX_DOCUMENT_BYTES } from '../oci/documents.js';
import { asStrings, type Located, member, optional, parseJson } from '../values/json.js';
import { callOf, type Repository } from './manifests.js';
import { nextPage } from './pages.js';

const MAX_PAGES = 100;

/** The tags of a repository, in the registry's order. Throws `REGISTRY_ADDRESS`, `REGISTRY_INVALID`, and what calls throw. */
export async function listTags(from: Repository): Promise<readonly string[]> {
  const tags: string[] = [];
  const seen = new Set<string>();
  for (let at: URL | undefined = new URL(`${from.repository}/tags/list`, from.client.baseOf(from.host)); at; ) {
    const call = callOf(from, { method: 'GET', at, doing: `list ${from.repository}` });
    const answer = await from.client.call(call);
    if (answer.status !== 200) throw await from.client.refused(answer, call);
    const bytes = await collectAnswer(answer, MAX_DOCUMENT_BYTES);
    tags.push(...tagsIn(parseJson(bytes, `a list of ${from.host}`, 'REGISTRY_INVALID')));
    seen.add(at.href);
    at = nextPage(answer.header('link'), at, from.host, seen, MAX_PAGES);
  }
  return tags;
}

/** What is not a tag cannot be asked for, nor be shown. */
function tagsIn(page: Located): readonly string[] {
  const tags = optional(member(page, 'tags'), asStrings) ?? [];
  return tags.filter((tag) => /^\w[\w.-]{0,127}$/.test(tag));
}
