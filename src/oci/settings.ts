import { type Digest, digestOf } from '../values/digest.js';
import { canonicalJson } from '../values/document.js';
import type { Json } from '../values/error.js';
import { CNB_METADATA } from './cnb-labels.js';
import type { RunConfig } from './documents.js';
import { RECORD_LABEL } from './record.js';

/**
 * The digest of all settings of an image but what tells of its base: the record itself, and the labels that CNB's tools
 * bring up to date when they move an image. Members that say nothing are left out too: Docker writes out what OCI leaves out,
 * as null, zero or empty.
 */
export function digestOfSettings(config: RunConfig): Digest {
  const { Labels = {}, ...others } = config;
  const labels = Object.entries(Labels).filter(([name]) => !tellsOfBase(name));
  const told = Object.entries(others).filter(([, value]) => saysSomething(value));
  const settings = { config: Object.fromEntries(told), labels: Object.fromEntries(labels) };
  return digestOf(new TextEncoder().encode(canonicalJson(settings as unknown as Json)));
}

function tellsOfBase(label: string): boolean {
  if (label === RECORD_LABEL || label === CNB_METADATA) return true;
  return label.startsWith('io.buildpacks.stack.') || label.startsWith('io.buildpacks.base.');
}

function saysSomething(value: unknown): boolean {
  if (typeof value === 'object' && value !== null) return Object.keys(value).length > 0;
  return Boolean(value);
}
