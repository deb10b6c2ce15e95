import type { Policy } from './policy.js';

const MB = 1_000_000;

/** What Kubernetes, containerd and Docker read as orders of their own. */
const RESERVED = ['io.containerd.', 'containerd.io/', 'com.docker.', 'io.kubernetes.'];

/** Policies that go by a name. */
export const PRESETS = {
  /** What a platform like Heroku takes: apps of pack-build as they are, on any base. */
  'heroku-like': {
    maxImageBytes: 3000 * MB,
    maxLayers: 127,
    platforms: ['linux/amd64', 'linux/arm64'],
    users: { forbidRoot: true, requireNumeric: true },
    setuid: 'base-only',
    fileCapabilities: 'base-only',
    devices: 'forbid',
    worldWritable: 'base-only',
    foreignLayers: 'forbid',
    whiteouts: 'none',
    writablePrefixes: ['/app', '/pack-build'],
    entrypoint: ['/pack-build/launcher'],
    labels: { reservedPrefixes: RESERVED },
    created: { maxSkewSeconds: 3600 },
  },
  /**
   * What of the level `restricted` of Kubernetes' Pod Security Standards an image can keep to or break: runAsNonRoot with a
   * number, no gain of privileges by files of the app, no ports that take a capability, no volumes of its own.
   */
  restricted: {
    users: { forbidRoot: true, minUid: 1, requireNumeric: true },
    ports: { min: 1024, max: 65_535 },
    setuid: 'base-only',
    fileCapabilities: 'base-only',
    devices: 'forbid',
    volumes: [],
    foreignLayers: 'forbid',
    labels: { reservedPrefixes: RESERVED },
  },
} as const satisfies Readonly<Record<string, Policy>>;

export type PresetName = keyof typeof PRESETS;

/** The policy of this name; undefined for what is no preset. */
export function presetNamed(name: string): Policy | undefined {
  return Object.hasOwn(PRESETS, name) ? PRESETS[name as PresetName] : undefined;
}
