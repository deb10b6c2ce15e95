import { type Assembled, assemble } from './assemble.js';
import type { Base, Image } from './image.js';
import { split } from './split.js';

/** Puts the app of an image on another base. The same bytes as assembling the app there in the first place. Throws as `split`. */
export function rebaseImage(image: Image, base: Base): Assembled {
  return assemble(base, split(image).app);
}
