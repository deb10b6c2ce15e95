import { collectAnswer } from '../http/answer-bytes.js';
import { type Index, MAX_DOCUMENT_BYTES, parseIndex } from '../oci/documents.js';
import { OCI_INDEX, OCI_MANIFEST } from '../oci/media-types.js';
import type { Descriptor } from '../values/descriptor.js';
import { type Digest, digestOf } from '../values/digest.js';
import { documentOf } from '../values/document.js';
import { defined } from '../values/json.js';
import type { Artifact } from './artifact.js';
import { callOf, getManifest, type Repository } from './manifests.js';
import { nextPage } from './pages.js';
import { pushManifest } from './push-manifest.js';
import { addToReferrersTag, referrersTag } from './referrers-tag.js';
import { uploadBlob } from './upload.js';

const EMPTY_TYPE = 'application/vnd.oci.empty.v1+json';
const EMPTY = Buffer.from('{}');
const MAX_PAGES = 100;

/**
 * Attaches an artifact to an image (image-spec, "artifacts usage"): a manifest with the image as its `subject`. A registry
 * that does not keep account of subjects gets the account under a tag (distribution-spec, "Referrers Tag Schema"). Gives
 * the artifact's descriptor.
 */
export async function attachArtifact(to: Repository, subject: Descriptor, artifact: Artifact): Promise<Descriptor> {
  const blobs = [{ mediaType: EMPTY_TYPE, bytes: EMPTY }, ...artifact.blobs].map(({ mediaType, bytes }) => ({
    descriptor: { mediaType, digest: digestOf(bytes), size: bytes.byteLength },
    bytes,
  }));
  const [config, ...layers] = blobs.map(({ descriptor }) => descriptor);
  const manifest = documentOf(
    defined({
      schemaVersion: 2,
      mediaType: OCI_MANIFEST,
      artifactType: artifact.artifactType,
      config,
      layers: layers.length === 0 ? [config] : layers,
      subject: { mediaType: subject.mediaType, digest: subject.digest, size: subject.size },
      annotations: artifact.annotations,
    }),
    OCI_MANIFEST,
  );
  const pushBlobs = async () => {
    for (const { descriptor, bytes } of blobs)
      await uploadBlob(to, { descriptor, open: () => [bytes], mountFrom: [], chunkSize: bytes.byteLength });
  };
  await pushBlobs();
  const told = await pushManifest(to, manifest, pushBlobs);
  const { artifactType, annotations } = artifact;
  const descriptor = defined({ ...manifest.descriptor, artifactType, annotations });
  if (told.subject !== subject.digest) await addToReferrersTag(to, subject.digest, descriptor);
  return descriptor;
}

/** What is attached to an image: as the registry accounts for it, or, where it does not, as the tag does. */
export async function listReferrers(from: Repository, subject: Digest): Promise<readonly Descriptor[]> {
  const told = await listFromApi(from, subject);
  if (told !== undefined) return told;
  const tagged = await getManifest(from, referrersTag(subject));
  return tagged?.descriptor.mediaType === OCI_INDEX ? parseIndex(tagged.bytes, OCI_INDEX).value.manifests : [];
}

/** Undefined from a registry without the API, which answers with whatever: a page, a redirect, an error. */
async function listFromApi(from: Repository, subject: Digest): Promise<readonly Descriptor[] | undefined> {
  const { client, host, repository } = from;
  const found: Descriptor[] = [];
  const seen = new Set<string>();
  for (let at: URL | undefined = new URL(`${repository}/referrers/${subject}`, client.baseOf(host)); at; ) {
    const call = callOf(from, { method: 'GET', at, doing: `read ${repository}`, stay: true });
    const answer = await client.call(call);
    const type = answer.header('content-type')?.split(';', 1)[0]?.trim();
    if (answer.status !== 200 || type !== OCI_INDEX) {
      if (answer.status === 401 || answer.status === 403) throw await client.refused(answer, call);
      await answer.drop();
      return undefined;
    }
    const index: Index = parseIndex(await collectAnswer(answer, MAX_DOCUMENT_BYTES), OCI_INDEX).value;
    found.push(...index.manifests);
    seen.add(at.href);
    at = nextPage(answer.header('link'), at, host, seen, MAX_PAGES);
  }
  return found;
}
