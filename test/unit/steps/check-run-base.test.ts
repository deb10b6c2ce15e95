import { describe, expect, it } from '@jest/globals';
import type { Inventory, InventoryEntry } from '../../../src/layers/merge.js';
import type { FoundNeeds } from '../../../src/layers/needs.js';
import { requireRunBase, tellMissing } from '../../../src/steps/check-run-base.js';
import type { Event } from '../../../src/values/events.js';

type Change = Readonly<Record<string, Partial<InventoryEntry> | undefined>>;

const PLAIN = { type: 'file', mode: 0o755, uid: 0, gid: 0, size: 1 } as const;

function baseWith(change: Change = {}): Inventory {
  const base: Change = {
    bin: { type: 'symlink', target: 'usr/bin' },
    usr: { type: 'directory' },
    'usr/bin': { type: 'directory' },
    'usr/bin/bash': {},
    app: { type: 'directory' },
    tmp: { type: 'directory', mode: 0o1777 },
    ...change,
  };
  return new Map(
    Object.entries(base).flatMap(([path, entry]) =>
      entry === undefined ? [] : [[path, { ...PLAIN, ...entry }] as const],
    ),
  );
}

function heard(work: (on: (event: Event) => void) => void): readonly Event[] {
  const events: Event[] = [];
  work((event) => events.push(event));
  return events;
}

const checked = (change: Change) => heard((on) => requireRunBase(baseWith(change), 'oci:bases:run', on));

describe('requireRunBase', () => {
  it('R117 is content with bash, a free /app and a /tmp for everyone', () => {
    expect(checked({})).toEqual([]);
    expect(checked({ app: undefined })).toEqual([]);
    expect(checked({ 'usr/bin/bash': { type: 'symlink', target: 'bash5' }, 'usr/bin/bash5': {} })).toEqual([]);
  });

  it.each<[string, Change]>([
    ['has no bash', { 'usr/bin/bash': undefined }],
    ['has a bash that cannot be run', { 'usr/bin/bash': { mode: 0o644 } }],
    ['has a bash that leads nowhere', { 'usr/bin/bash': { type: 'symlink', target: 'gone' } }],
  ])('R117 refuses a base that %s', (_, change) => {
    expect(() => checked(change)).toThrow(
      expect.objectContaining({
        code: 'BASE_UNUSABLE',
        message: 'nothing can be started on the base oci:bases:run: it has no /bin/bash',
      }),
    );
  });

  it.each<[string, string, Change]>([
    ['link', '/app', { app: { type: 'symlink', target: 'srv' } }],
    ['file', '/app', { app: {} }],
    ['not empty', '/app', { 'app/index.js': {} }],
    ['not empty', '/pack-build', { 'pack-build': { type: 'directory' }, 'pack-build/x': {} }],
  ])('R117 refuses a base with a %s at %s', (why, path, change) => {
    expect(() => checked(change)).toThrow(
      expect.objectContaining({
        code: 'BASE_APP_DIRECTORY',
        message: `the base has something of its own at ${path}`,
        why: expect.stringContaining(why),
      }),
    );
  });

  it.each<[string, Change]>([
    ['has no /tmp', { tmp: undefined }],
    ['keeps /tmp for root', { tmp: { type: 'directory', mode: 0o755 } }],
  ])('R117 tells of a base that %s', (_, change) => {
    expect(checked(change)).toEqual([
      {
        type: 'notice',
        code: 'BASE_TMP',
        message:
          'the base oci:bases:run has no /tmp that everyone may write to (mode 1777): programs that need it fail',
      },
    ]);
  });
});

describe('tellMissing', () => {
  const none: FoundNeeds = {
    needs: { paths: ['/bin/bash'], libraries: ['libc.so.6'], versions: {} },
    unmet: { paths: [], libraries: [] },
    users: new Map(),
    programs: new Map(),
    lost: new Map(),
  };
  const base = {
    hasPath: (path: string) => path === '/bin/bash',
    hasLibrary: (name: string) => name === 'libc.so.6',
    hasVersion: (_: string, version: string) => version !== 'GLIBC_2.38',
    hasProgram: (name: string) => name === 'perl',
  };
  const told = (found: Partial<FoundNeeds>) => heard((on) => tellMissing({ ...none, ...found }, base, on));

  it('says nothing where nothing is missing', () => {
    expect(told({})).toEqual([]);
  });

  it('R121 R114 names the versions that libraries of the run base lack', () => {
    const versions = { 'libc.so.6': ['GLIBC_2.34', 'GLIBC_2.38'], 'libx.so.1': ['X_1'] };
    const needs = { paths: [], libraries: ['libc.so.6'], versions };
    expect(told({ needs, users: new Map([['libc.so.6', 'bin/a']]) })).toEqual([
      {
        type: 'notice',
        code: 'LIBRARY_OLDER',
        message:
          'libraries of the run base are older than the app was linked with: they lack `GLIBC_2.38 in libc.so.6` (for `bin/a`). ' +
          "Programs that need them will not start: build on the run base's own build image",
      },
    ]);
  });

  it('R121 R114 names the libraries that the run base lacks, whether or not the build base has them', () => {
    const users = new Map([
      ['libpcre.so.3', '.local/bin/nginx'],
      ['liba.so', 'bin/a'],
    ]);
    const needs = { paths: [], libraries: ['libc.so.6', 'libpcre.so.3'], versions: {} };
    expect(told({ needs, unmet: { paths: [], libraries: ['liba.so'] }, users })).toEqual([
      {
        type: 'notice',
        code: 'LIBRARY_MISSING',
        message:
          'the run base lacks libraries that the app asks for: `liba.so` (for `bin/a`), `libpcre.so.3` (for `.local/bin/nginx`). ' +
          "Programs that need them will not start: set --stack to the base's own stack, or name a base that has them",
      },
    ]);
  });

  it('R117 R59 names the links and interpreters that would lead nowhere', () => {
    const users = new Map([['/usr/bin/python3', 'bin/\u001b[31mx']]);
    const needs = { paths: ['/bin/bash', '/usr/bin/python3'], libraries: [], versions: {} };
    expect(told({ needs, users })).toEqual([
      {
        type: 'notice',
        code: 'PATH_MISSING',
        message: 'the run base lacks what files of the app refer to: `/usr/bin/python3` (for `bin/\\u001b[31mx`)',
      },
    ]);
  });

  it('R117 names the programs that scripts ask env for and that are nowhere', () => {
    const programs = new Map([
      ['node', 'bin/web'],
      ['perl', 'bin/tool'],
    ]);
    const unmet = { paths: ['/usr/bin/ruby'], libraries: [] };
    expect(told({ programs, unmet, users: new Map([['/usr/bin/ruby', 'bin/x']]) })).toEqual([
      {
        type: 'notice',
        code: 'PATH_MISSING',
        message:
          'the run base lacks what files of the app refer to: `/usr/bin/ruby` (for `bin/x`), `node` (for `bin/web`)',
      },
    ]);
  });

  it('names files that refer to directories of the build', () => {
    expect(told({ lost: new Map([['bin/x', '/tmp/build_app/y']]) })).toEqual([
      {
        type: 'notice',
        code: 'BUILD_PATH_KEPT',
        message:
          'files of the app refer to directories that are gone after the build: `/tmp/build_app/y` (for `bin/x`)',
      },
    ]);
  });

  it('names at most ten, and counts the rest', () => {
    const libraries = Array.from({ length: 23 }, (_, number) => `lib${String(number).padStart(2, '0')}.so`);
    const [notice] = told({ needs: { paths: [], libraries, versions: {} } });
    expect(notice).toMatchObject({ message: expect.stringMatching(/lib09\.so` \(for ``\) and 13 more\./) });
  });
});
