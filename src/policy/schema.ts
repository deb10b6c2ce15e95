import { VIOLATION_CODES } from './violation.js';

/** As much of JSON Schema as a policy needs. */
export interface Schema {
  readonly type?: 'object' | 'array' | 'string' | 'integer' | 'boolean';
  readonly description?: string;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly additionalProperties?: false;
  readonly required?: readonly string[];
  readonly items?: Schema;
  readonly enum?: readonly string[];
  readonly pattern?: string;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly maxItems?: number;
  readonly maxLength?: number;
  /** Of different types. */
  readonly oneOf?: readonly Schema[];
}

/** Of every list. */
const maxItems = 1000;
const text: Schema = { type: 'string', maxLength: 1024 };
const texts: Schema = { type: 'array', maxItems, items: text };
const paths: Schema = { type: 'array', maxItems, items: { ...text, pattern: '^/[^\\u0000]*$' } };
const ban: Schema = { type: 'string', enum: ['forbid', 'base-only'] };
const port: Schema = { type: 'integer', minimum: 1, maximum: 65_535 };
const number = (minimum = 0, maximum = Number.MAX_SAFE_INTEGER): Schema => ({ type: 'integer', minimum, maximum });

function object(properties: Readonly<Record<string, Schema>>, required?: readonly string[]): Schema {
  return { type: 'object', additionalProperties: false, ...(required === undefined ? {} : { required }), properties };
}

/** What a policy can be. `docs/policy.schema.json` is made of it. */
export const POLICY_SCHEMA: Schema = object({
  maxImageBytes: { ...number(), description: 'of all layers and the config, as they are stored' },
  maxUncompressedBytes: { ...number(), description: 'of the tars of all layers' },
  maxCompressionRatio: { ...number(1), description: 'of the tar of a layer to its stored bytes' },
  maxLayers: number(),
  maxLayerBytes: { ...number(), description: 'of one layer, as it is stored' },
  maxFiles: { ...number(), description: 'entries of all layers that are not directories' },
  maxPathBytes: number(1),
  maxDepth: { ...number(1), description: 'names in a path' },
  platforms: { type: 'array', maxItems, items: { ...text, pattern: '^[a-z0-9]+/[a-z0-9]+(/[a-z0-9]+)?$' } },
  ports: object({ min: port, max: port, allow: { type: 'array', maxItems, items: port } }),
  setuid: ban,
  fileCapabilities: ban,
  devices: ban,
  worldWritable: ban,
  users: object({
    forbidRoot: { type: 'boolean' },
    minUid: number(0, 2 ** 31 - 1),
    requireNumeric: { type: 'boolean' },
  }),
  volumes: { ...paths, description: 'the volumes that an image may name' },
  foreignLayers: { type: 'string', enum: ['forbid'] },
  mediaTypes: { ...texts, description: 'of layers' },
  whiteouts: { oneOf: [{ type: 'string', enum: ['none'] }, object({ within: paths }, ['within'])] },
  writablePrefixes: { ...paths, description: 'where layers of the app may have anything' },
  env: object({ denyNames: texts, maxBytes: number() }),
  labels: object({ reservedPrefixes: texts }),
  entrypoint: { ...texts, description: 'the programs that an image may start with' },
  stopSignal: texts,
  healthcheck: { type: 'string', enum: ['forbid', 'require'] },
  bases: object({ allow: texts, maxDistinct: number(1), maxAgeDays: number() }),
  created: object({ maxSkewSeconds: number(0, 1e9) }, ['maxSkewSeconds']),
});

/** The published schema of a policy file. */
export function publishedSchema(): object {
  return {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    title: 'A policy of pack-build',
    description: `What an image must keep to. What breaks it has one of the codes ${VIOLATION_CODES.join(', ')}.`,
    ...POLICY_SCHEMA,
  };
}
