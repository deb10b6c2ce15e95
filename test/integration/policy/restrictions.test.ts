import { describe, expect, it } from '@jest/globals';
import type { Policy } from '../../../src/policy/policy.js';
import type { KnownBase } from '../../../src/policy/scan.js';
import { parseDigest } from '../../../src/values/digest.js';
import {
  type ImageParts,
  NOW,
  paxHeader,
  paxRecord,
  tarWithAttributes,
  violationsOf,
} from '../../support/checked-image.js';
import { directory, file, layer, link, type Part, special, symlink } from '../../support/layer-tar.js';
import { bytesOf } from '../../support/tar.js';

const D = parseDigest(`sha256:${'d'.repeat(64)}`);
const base = (more: Partial<KnownBase> = {}): KnownBase => ({ layers: 1, digests: [D], isProved: true, ...more });
const DAY = 86_400_000;
const daysAgo = (days: number) => new Date(NOW - days * DAY).toISOString();
const one = (...parts: readonly Part[]): ImageParts => ({ layers: [parts] });
const user = (User: string): ImageParts => ({ run: { User } });

/** What is stored of an image of two layers, as it was measured. */
const SMALL = one(file('app/a', 'x'.repeat(100)));
const sizes = await sizesOf(SMALL);

async function sizesOf(parts: ImageParts) {
  const of = async (policy: Policy) => Number((await violationsOf(parts, policy))[0]?.got);
  return {
    image: await of({ maxImageBytes: 0 }),
    layer: await of({ maxLayerBytes: 0 }),
    tar: await of({ maxUncompressedBytes: 0 }),
    ratio: Math.ceil(await of({ maxCompressionRatio: 1 })),
  };
}

/** Per line: the field, its code, a policy, an image on the limit, and one beyond it. */
type Line = readonly [field: string, code: string, policy: Policy, kept: ImageParts, broken: ImageParts];

const attribute = async (name: string) =>
  ({ layers: [await tarWithAttributes([{ part: file('app/a'), attributes: [name] }])] }) as ImageParts;

const LINES: readonly Line[] = [
  [
    'maxImageBytes',
    'RST_IMAGE_BYTES',
    { maxImageBytes: sizes.image },
    SMALL,
    one(file('app/a', 'y'.repeat(101) + String(Math.PI))),
  ],
  [
    'maxUncompressedBytes',
    'RST_UNCOMPRESSED_BYTES',
    { maxUncompressedBytes: sizes.tar },
    SMALL,
    { layers: [[file('app/a')], [file('app/b')]] },
  ],
  [
    'maxCompressionRatio',
    'RST_COMPRESSION_RATIO',
    { maxCompressionRatio: sizes.ratio },
    SMALL,
    one(file('app/a', '0'.repeat(500_000))),
  ],
  ['maxLayers', 'RST_LAYERS', { maxLayers: 2 }, { layers: [[], []] }, { layers: [[], [], []] }],
  [
    'maxLayerBytes',
    'RST_LAYER_BYTES',
    { maxLayerBytes: sizes.layer },
    SMALL,
    one(file('app/a', Array.from({ length: 300 }, String).join(''))),
  ],
  [
    'maxFiles',
    'RST_FILES',
    { maxFiles: 1 },
    one(directory('app'), file('app/a')),
    one(file('app/a'), symlink('app/b', 'a')),
  ],
  ['maxPathBytes', 'RST_PATH_BYTES', { maxPathBytes: 6 }, one(file('app/é')), one(file('app/é1'))],
  ['maxDepth', 'RST_DEPTH', { maxDepth: 2 }, one(file('app/a')), one(file('app/a/b'))],
  [
    'platforms',
    'RST_PLATFORM',
    { platforms: ['linux/arm64/v8', 'linux/amd64'] },
    { config: { architecture: 'arm64' } },
    { config: { architecture: 'riscv64' } },
  ],
  [
    'ports.min',
    'RST_PORT',
    { ports: { min: 1024 } },
    { run: { ExposedPorts: { '1024/tcp': {} } } },
    { run: { ExposedPorts: { '1023/tcp': {} } } },
  ],
  [
    'ports.max',
    'RST_PORT',
    { ports: { max: 9000 } },
    { run: { ExposedPorts: { '9000/udp': {} } } },
    { run: { ExposedPorts: { '9001': {} } } },
  ],
  [
    'ports.allow',
    'RST_PORT',
    { ports: { min: 1024, allow: [80] } },
    { run: { ExposedPorts: { '80/tcp': {} } } },
    { run: { ExposedPorts: { '81/tcp': {} } } },
  ],
  [
    'setuid: forbid',
    'RST_SETUID',
    { setuid: 'forbid' },
    one(file('app/a', '', 0o1755), directory('app/d', 0o2755)),
    one(file('app/a', '', 0o4755)),
  ],
  [
    'setuid: base-only',
    'RST_SETUID',
    { setuid: 'base-only' },
    { layers: [[file('bin/su', '', 0o4755)], []], base: base() },
    { layers: [[], [file('app/su', '', 0o2755)]], base: base() },
  ],
  [
    'fileCapabilities',
    'RST_FILE_CAPABILITIES',
    { fileCapabilities: 'forbid' },
    await attribute('user.note'),
    await attribute('security.capability'),
  ],
  [
    'devices',
    'RST_DEVICE',
    { devices: 'forbid' },
    one(special('app/fifo', 'fifo')),
    one(special('app/null', 'character-device')),
  ],
  [
    'worldWritable',
    'RST_WORLD_WRITABLE',
    { worldWritable: 'forbid' },
    one(directory('tmp', 0o1777), file('app/a', '', 0o775), symlink('app/b', 'a')),
    one(directory('app/d', 0o777)),
  ],
  ['users.forbidRoot', 'RST_USER_ROOT', { users: { forbidRoot: true } }, user('1'), user('0')],
  ['users.minUid', 'RST_USER_UID', { users: { minUid: 1000 } }, user('1000'), user('999')],
  ['users.requireNumeric', 'RST_USER_NAME', { users: { requireNumeric: true } }, user('1000:1000'), user('1000:staff')],
  ['users', 'RST_USER_INVALID', { users: { minUid: 0 } }, user('2147483647'), user('2147483648')],
  [
    'volumes',
    'RST_VOLUME',
    { volumes: ['/data'] },
    { run: { Volumes: { '/data': {} } } },
    { run: { Volumes: { '/data/': {} } } },
  ],
  [
    'foreignLayers',
    'RST_FOREIGN_LAYER',
    { foreignLayers: 'forbid' },
    {},
    { descriptor: { urls: ['http://169.254.169.254/'] } },
  ],
  [
    'mediaTypes',
    'RST_MEDIA_TYPE',
    { mediaTypes: ['application/vnd.oci.image.layer.v1.tar+gzip'] },
    {},
    { compression: 'none' },
  ],
  [
    'whiteouts: none',
    'RST_WHITEOUT',
    { whiteouts: 'none' },
    { layers: [[file('.wh.a')], [file('app/.what')]], base: base() },
    one(file('app/.wh.a')),
  ],
  [
    'whiteouts.within',
    'RST_WHITEOUT',
    { whiteouts: { within: ['/app'] } },
    one(file('app/.wh..wh..opq'), file('app/.wh.a')),
    one(file('.wh..wh..opq')),
  ],
  [
    'writablePrefixes',
    'RST_WRITABLE',
    { writablePrefixes: ['/home/app/'] },
    one(directory('home'), directory('home/app'), file('home/app/a')),
    one(file('home/apple')),
  ],
  [
    'env.denyNames',
    'RST_ENV_NAME',
    { env: { denyNames: ['LD_*', 'KEY'] } },
    { run: { Env: ['KEYS=1', 'XLD_A=1'] } },
    { run: { Env: ['LD_PRELOAD=/x'] } },
  ],
  ['env.maxBytes', 'RST_ENV_BYTES', { env: { maxBytes: 4 } }, { run: { Env: ['A=é'] } }, { run: { Env: ['A=é1'] } }],
  [
    'labels.reservedPrefixes',
    'RST_LABEL',
    { labels: { reservedPrefixes: ['io.containerd.'] } },
    { run: { Labels: { 'io.containerd': 'x' } } },
    { run: { Labels: { 'io.containerd.x': 'y' } } },
  ],
  [
    'labels (DOC-15: 64 KiB)',
    'RST_LABEL',
    { labels: {} },
    { run: { Labels: { a: 'x'.repeat(65_536) } } },
    { run: { Labels: { a: 'x'.repeat(65_537) } } },
  ],
  [
    'labels (DOC-15: control characters)',
    'RST_LABEL',
    { labels: {} },
    { annotations: { a: 'é ok' } },
    { annotations: { a: '\u001b[2J' } },
  ],
  [
    'entrypoint',
    'RST_ENTRYPOINT',
    { entrypoint: ['/pack-build/launcher'] },
    { run: { Entrypoint: ['/pack-build/launcher', 'x'] } },
    { run: { Entrypoint: ['/bin/sh'] } },
  ],
  ['stopSignal', 'RST_STOP_SIGNAL', { stopSignal: ['SIGTERM'] }, {}, { run: { StopSignal: 'SIGKILL' } }],
  [
    'healthcheck: forbid',
    'RST_HEALTHCHECK',
    { healthcheck: 'forbid' },
    { run: { Healthcheck: { Test: ['NONE'] } } },
    { run: { Healthcheck: { Test: ['CMD', 'x'] } } },
  ],
  [
    'healthcheck: require',
    'RST_HEALTHCHECK',
    { healthcheck: 'require' },
    { run: { Healthcheck: { Test: ['CMD', 'x'] } } },
    {},
  ],
  [
    'bases.allow (digest)',
    'RST_BASE',
    { bases: { allow: [D] } },
    { base: base() },
    { base: base({ isProved: false }) },
  ],
  [
    'bases.allow (name)',
    'RST_BASE',
    { bases: { allow: ['heroku/heroku'] } },
    { base: base({ name: 'docker.io/heroku/heroku:24' }) },
    { base: base({ name: 'evil/heroku/heroku:24' }) },
  ],
  [
    'bases.maxAgeDays',
    'RST_BASE_AGE',
    { bases: { maxAgeDays: 30 } },
    { base: base({ created: daysAgo(30) }) },
    { base: base({ created: daysAgo(30.001) }) },
  ],
  [
    'created',
    'RST_CREATED',
    { created: { maxSkewSeconds: 60 } },
    { config: { created: new Date(NOW + 60_000).toISOString() } },
    { config: { created: new Date(NOW + 61_000).toISOString() } },
  ],
];

describe('checkImage', () => {
  it.each(LINES)(
    'RST-1 %s: what is beyond it yields %s, what is on the limit nothing',
    async (_, code, policy, kept, broken) => {
      const found = await violationsOf(broken, policy);
      expect(found.map((violation) => violation.code)).toEqual([code]);
      expect(found[0]?.hint).toMatch(/^\w.{10,}/);
      expect(await violationsOf(kept, policy)).toEqual([]);
      expect(await violationsOf(broken, {})).toEqual([]);
    },
  );

  it('RST-1 a layer that nobody can read is not taken to be well', async () => {
    const foreign = { descriptor: { urls: ['https://example.com/layer'] } };
    expect(await violationsOf(foreign, { setuid: 'forbid' })).toMatchObject([{ code: 'RST_UNREADABLE', layer: 0 }]);
    expect(await violationsOf(foreign, { maxLayers: 1 })).toEqual([]);
  });

  it('RST-1 a base of which nobody knows the age is too old', async () => {
    const policy = { bases: { maxAgeDays: 30 } };
    for (const created of [undefined, '1980-01-01T00:00:01Z', 'yesterday'])
      expect(await violationsOf({ base: base({ created }) }, policy)).toMatchObject([
        { code: 'RST_BASE_AGE', got: null },
      ]);
  });

  it('RST-2 a config that has `user` beside `User` means two things', async () => {
    expect(await violationsOf({ run: { user: '0' } }, {})).toMatchObject([{ code: 'RST_AMBIGUOUS', got: 'user' }]);
  });

  it('RST-3 a setuid file counts that an upper layer deletes', async () => {
    const layers = [[], [file('app/su', '', 0o4755)], [file('app/.wh.su')]];
    expect(await violationsOf({ layers }, { setuid: 'forbid' })).toMatchObject([
      { code: 'RST_SETUID', layer: 1, path: '/app/su', got: '4755' },
    ]);
  });

  it("RST-3 a hard link to a setuid file of the base is the app's", async () => {
    const layers = [[file('usr/bin/su', '', 0o4755), symlink('bin', 'usr/bin')], [link('app/su', 'bin/su')]];
    expect(await violationsOf({ layers, base: base() }, { setuid: 'base-only' })).toMatchObject([
      { code: 'RST_SETUID', layer: 1, path: '/app/su', got: '4755' },
    ]);
  });

  it.each([
    ['absolute', '/etc', '/etc/passwd'],
    ['relative', '../etc', '/etc/passwd'],
    ['longer', '../x/../etc/./', '/etc/passwd'],
    ['further', 'way', '/etc/passwd'],
    ['out of the root', '../../../etc', '/etc/passwd'],
    ['circular', 'conf', 'links that go in circles'],
  ])('RST-3 a path that a link of a lower layer leads elsewhere lies there (%s)', async (_, target, got) => {
    const layers = [
      [directory('app'), symlink('app/way', '/etc')],
      [symlink('app/conf', target)],
      [file('app/conf/passwd')],
    ];
    expect(await violationsOf({ layers }, { writablePrefixes: ['/app'] })).toMatchObject([
      { code: 'RST_WRITABLE', layer: 2, path: '/app/conf/passwd', got },
    ]);
  });

  it('RST-3 a link leads nowhere any more once it is replaced, deleted, or its directory is', async () => {
    const low = [directory('app'), symlink('app/a', '/etc'), directory('app/d'), symlink('app/d/b', '/etc')];
    for (const next of [
      [[directory('app/a'), file('app/a/x')]],
      [[file('app/.wh.a')], [file('app/a/x')]],
      [[file('app/a/x'), file('app/.wh.a')]],
      [[file('app/.wh.d')], [file('app/d/b/x')]],
      [[file('app/d/.wh..wh..opq')], [file('app/d/b/x')]],
      [[file('app/d')], [directory('app/d'), file('app/d/b/x')]],
    ])
      expect(await violationsOf({ layers: [low, ...next] }, { writablePrefixes: ['/app'] })).toEqual([]);
  });

  it('RST-3 a deletion through a link is one of what the link leads to', async () => {
    const layers = [[symlink('app/way', '/etc')], [file('app/way/.wh.passwd')]];
    expect(await violationsOf({ layers }, { whiteouts: { within: ['/app'] } })).toMatchObject([
      { code: 'RST_WHITEOUT', layer: 1, got: '/etc/passwd' },
    ]);
  });

  it('RST-6 the verdict is the same each time, and for plain layers, gzip and zstd', async () => {
    const layers = [
      [file('app/b', '', 0o4777), file('app/a', '', 0o4777), directory('x', 0o777)],
      [file('app/.wh.a'), special('app/c', 'block-device')],
    ];
    const policy: Policy = {
      setuid: 'forbid',
      devices: 'forbid',
      worldWritable: 'forbid',
      whiteouts: 'none',
      maxFiles: 1,
    };
    const verdicts = [];
    for (const compression of ['gzip', 'gzip', 'none', 'zstd'] as const)
      verdicts.push(JSON.stringify(await violationsOf({ layers, compression }, policy)));
    expect(new Set(verdicts).size).toBe(1);
    const codes = (JSON.parse(verdicts[0] ?? '') as { code: string; path: string }[]).map(
      ({ code, path }) => `${code} ${path}`,
    );
    expect(codes).toEqual([
      'RST_DEVICE /app/c',
      'RST_FILES undefined',
      'RST_SETUID /app/a',
      'RST_SETUID /app/b',
      'RST_WHITEOUT /app/.wh.a',
      'RST_WORLD_WRITABLE /app/a',
      'RST_WORLD_WRITABLE /app/b',
      'RST_WORLD_WRITABLE /x',
    ]);
  });

  it('RST-6 of very many violations a hundred are listed, and how many there are', async () => {
    const parts = Array.from({ length: 250 }, (_, n) => file(`app/${n}`, '', 0o4755));
    const found = await violationsOf(one(...parts), { setuid: 'forbid' });
    expect(found).toHaveLength(101);
    expect(found.at(-1)).toMatchObject({ code: 'RST_SETUID', got: '150 more' });
  });
});

describe('extended attributes', () => {
  const policy: Policy = { fileCapabilities: 'forbid' };
  const caps = ['user.a', 'security.capability'];

  it('RST-1 are found under each of the names that archivers give them', async () => {
    for (const prefix of ['SCHILY.xattr.', 'LIBARCHIVE.xattr.']) {
      const tar = await tarWithAttributes([
        { part: file('app/plain', 'x'.repeat(700)), attributes: [] },
        { part: file('app/ping', 'y'.repeat(1300)), attributes: caps, prefix },
        { part: file('app/next'), attributes: [] },
      ]);
      expect(await violationsOf({ layers: [tar] }, policy)).toMatchObject([
        { code: 'RST_FILE_CAPABILITIES', path: '/app/ping', got: 'security.capability' },
      ]);
    }
  });

  it('RST-1 of a global header, which readers apply to other entries, are refused with the layer', async () => {
    const header = await paxHeader(paxRecord('SCHILY.xattr.security.capability', 'v'), 'g');
    const rest = await bytesOf((await layer(file('app/a'), file('app/b'))).tar());
    await expect(violationsOf({ layers: [Buffer.concat([header, rest])] }, policy)).rejects.toMatchObject({
      code: 'ARCHIVE_INVALID',
      details: { rule: 'ambiguous' },
    });
  });
});
