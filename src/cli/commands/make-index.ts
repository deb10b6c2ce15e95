import { makeIndex } from '../../make-index.js';
import { digestOfImage, platformOf } from '../../oci/image.js';
import { imagesOf } from '../../oci/image-index.js';
import { shortDigest } from '../../values/digest.js';
import { fail } from '../../values/error.js';
import { formatPlatform } from '../../values/platform.js';
import type { IndexFlags } from '../flags/make-index.js';
import type { Outcome, Session } from '../session.js';

export async function runIndex(images: readonly string[], flags: IndexFlags, session: Session): Promise<Outcome> {
  const { to, tools, cacheDir } = { ...session, to: flags.to ?? [] };
  if (to.length === 0) throw noPlace(images);
  const { digest, references, index } = await makeIndex({ images, to, cacheDir }, tools);
  const children = imagesOf(index).map((image) => ({
    platform: formatPlatform(platformOf(image)),
    digest: digestOfImage(image),
  }));
  for (const child of children)
    tools.on({ type: 'info', message: `       ${child.platform} ${shortDigest(child.digest)}` });
  return { data: { digest, references, images: children }, text: references.join('\n') };
}

function noPlace(images: readonly string[]) {
  return fail('USAGE', {
    what: 'it is not said where the index is to go',
    fix: `pack-build index ${images.join(' ')} --to docker://HOST/REPOSITORY:TAG`,
  });
}
