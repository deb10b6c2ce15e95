import { describe, expect, it } from '@jest/globals';
import { makeBuildEnv } from '../../../src/buildpack/build-env.js';
import { checkConfigVars } from '../../../src/buildpack/config-vars.js';
import { parseEnvFile } from '../../../src/buildpack/env-file.js';
import { chooseList } from '../../../src/buildpack/list.js';
import { makeOutputTail } from '../../../src/buildpack/output-tail.js';
import { parseReport } from '../../../src/buildpack/report-document.js';

const bytes = (text: string) => Buffer.from(text);

describe('makeBuildEnv', () => {
  const input = { stack: 'heroku-24', sourceVersion: 'abc', requestId: 'id' };

  it('R33 R34 R35 R37 R96 is this and nothing else', () => {
    expect(makeBuildEnv(input)).toEqual({
      PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
      HOME: '/app',
      APP_DIR: '/app',
      STACK: 'heroku-24',
      SOURCE_VERSION: 'abc',
      REQUEST_ID: 'id',
      CURL_CONNECT_TIMEOUT: '30',
      CURL_TIMEOUT: '180',
      LANG: 'C.UTF-8',
      LC_ALL: 'C.UTF-8',
      TZ: 'UTC',
      SOURCE_DATE_EPOCH: '315532801',
    });
  });

  it('R34 has no entry of the app on PATH, and no relative one', () => {
    expect(makeBuildEnv({ ...input, path: '/app/bin:/usr/bin::bin:/app:/apple/bin' })['PATH']).toBe(
      '/usr/bin:/apple/bin',
    );
    expect(makeBuildEnv({ ...input, path: '/app/bin' })['PATH']).toBe(
      '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
    );
  });

  it('R38 lets --build-env set anything but the directories of the sandbox', () => {
    const env = makeBuildEnv({
      ...input,
      certificates: { SSL_CERT_FILE: '/a' },
      buildEnv: { BUILDPACK_XTRACE: '1', TZ: 'CET', SSL_CERT_FILE: '/b' },
    });
    expect(env).toMatchObject({ BUILDPACK_XTRACE: '1', TZ: 'CET', SSL_CERT_FILE: '/b' });
    for (const name of ['HOME', 'APP_DIR', '', 'A=B']) {
      expect(() => makeBuildEnv({ ...input, buildEnv: { [name]: 'x' } })).toThrow(
        expect.objectContaining({ code: 'ENV_INVALID' }),
      );
    }
  });
});

describe('checkConfigVars', () => {
  it.each(['a/b', 'a=b', '', '.', '..', 'a\0b', 'a'.repeat(256)])('R39 BP-5 refuses the name %j', (name) => {
    expect(() => checkConfigVars({ [name]: 'x' })).toThrow(expect.objectContaining({ code: 'ENV_INVALID' }));
  });

  it('R39 BP-5 refuses a NUL byte in a value, without showing the value', () => {
    expect(() => checkConfigVars({ A: 'secret\0' })).toThrow(
      expect.objectContaining({ message: '`A` cannot be a config var', why: 'the value contains a NUL byte' }),
    );
  });

  it('R40 takes PATH, LD_PRELOAD and GIT_DIR without a word', () => {
    expect(checkConfigVars({ PATH: 'x', LD_PRELOAD: 'x', GIT_DIR: '.' })).toEqual([]);
  });

  it('R39 tells of odd names and of too much', () => {
    const odd = ['__X', 'HEROKU_X', 'a-b', '1A'];
    expect(checkConfigVars(Object.fromEntries(odd.map((name) => [name, ''])))).toHaveLength(4);
    expect(checkConfigVars({ A: 'x'.repeat(32 * 1024) })).toEqual([
      { code: 'CONFIG_VARS_LARGE', message: 'the config vars are 32769 bytes together; Heroku allows 32768' },
    ]);
  });
});

describe('parseEnvFile', () => {
  it('reads NAME=VALUE lines and keeps values as they are', () => {
    const text = '\ufeff# comment\r\n\nA=1\r\n  B = x\nC=a=b # c \nD=\nA=2\n__proto__=p\n';
    expect(() => parseEnvFile(bytes(text), 'env')).toThrow(
      expect.objectContaining({ code: 'ENV_INVALID', details: { file: 'env', line: 4 } }),
    );
    const { vars } = parseEnvFile(bytes(text.replace('B = x', 'B=x')), 'env');
    expect(Object.entries(vars)).toEqual([
      ['A', '2'],
      ['B', 'x'],
      ['C', 'a=b # c '],
      ['D', ''],
      ['__proto__', 'p'],
    ]);
  });

  it('tells of quotes, which stay', () => {
    const { vars, notices } = parseEnvFile(bytes('A="x"\n'), 'env');
    expect(vars).toEqual({ A: '"x"' });
    expect(notices).toEqual([
      { code: 'ENV_FILE_QUOTES', message: 'env line 1: the quotes around `A` are part of its value' },
    ]);
  });

  it.each(['NAME', '=x', 'export A=1'])('refuses %j without repeating it', (line) => {
    expect(() => parseEnvFile(bytes(line), 'env')).toThrow('line 1 of env is not NAME=VALUE');
  });
});

describe('chooseList', () => {
  const dotBuildpacks = bytes('# mine\r\nhttps://a.example/x#v1\r\n\r\n ./b ./c\n');
  const appJson = bytes('{"buildpacks": [{"url": "heroku/nodejs"}, {"url": "./d"}]}');

  it('R11 R89 takes the first source that names any', () => {
    const all = { explicit: ['./a'], buildpackUrl: ' ./u ', dotBuildpacks, appJson };
    expect(chooseList(all)).toEqual({ from: 'the command line', references: ['./a'] });
    expect(chooseList({ ...all, explicit: [] })).toEqual({ from: 'BUILDPACK_URL', references: ['./u'] });
    expect(chooseList({ ...all, explicit: [], buildpackUrl: '' })).toEqual({
      from: '.buildpacks',
      references: ['https://a.example/x#v1', './b', './c'],
    });
    expect(chooseList({ explicit: [], dotBuildpacks: bytes('# none\n'), appJson })).toEqual({
      from: 'app.json',
      references: ['heroku/nodejs', './d'],
    });
  });

  it('is undefined when nothing names any', () => {
    expect(chooseList({ explicit: [] })).toBeUndefined();
    expect(chooseList({ explicit: [], appJson: bytes('{"name": "x"}') })).toBeUndefined();
  });

  it.each([['[]'], ['{'], ['{"buildpacks": {}}'], ['{"buildpacks": ["x"]}'], ['{"buildpacks": [{}]}']])(
    'refuses the app.json %s',
    (text) => {
      expect(() => chooseList({ explicit: [], appJson: bytes(text) })).toThrow(
        expect.objectContaining({ code: 'CONFIG_INVALID' }),
      );
    },
  );
});

describe('parseReport', () => {
  it('R90 keeps flat values and their types', () => {
    expect(parseReport(bytes('a: 1\nb: yes\nc: true\nd: ~\ne: "x"\n'))).toEqual({
      a: 1,
      b: 'yes',
      c: true,
      d: null,
      e: 'x',
    });
  });

  it.each([
    '',
    'x',
    '- a',
    'a: [1]',
    'a: {b: 1}',
    'a: &x 1\nb: *x',
    'a: 1\na: 2',
    '{',
    `a: ${'x'.repeat(70_000)}`,
    '['.repeat(30_000),
  ])('R90 takes this for no report (%#)', (text) => {
    expect(parseReport(bytes(text))).toBeUndefined();
  });
});

describe('makeOutputTail', () => {
  it('keeps the last lines, across chunks and within characters', () => {
    const tail = makeOutputTail(3);
    for (const byte of bytes('a\nb\nü\n\nd')) tail.push(new Uint8Array([byte]));
    expect(tail.last(9)).toEqual(['b', 'ü', 'd'].slice(-3));
  });

  it('shows what a terminal would: no colours, nothing that was overwritten', () => {
    const tail = makeOutputTail();
    tail.push(bytes('10%\r50%\r100%\r\n\u001b[1;31mred\u001b[0m \u001b]0;title\u0007end\n'));
    expect(tail.last(9)).toEqual(['100%', 'red end']);
  });

  it.each([
    ['one\r\r\ntwo\r\n\r\nthree', ['one', 'two', 'three']],
    ['a long line\r \u001b[K\r\n', ['a long line']],
    ['loading 50 %\rdone\n', ['loading 50 %']],
    ['loading 50 %\r\u001b[Kdone\n', ['done']],
    ['loading 50 %\u001b[2K\rdone\n', ['done']],
    ["set: 'pipefail\r'\n", ["set: 'pipefail\\r'"]],
    ['lib.sh: 2: \r: not found\r\n', ['lib.sh: 2: \\r: not found']],
    [`${'\r'.repeat(100_000)}x\n`, ['x']],
  ])('loses nothing to a carriage return that no redraw follows (%#)', (text, expected) => {
    const tail = makeOutputTail();
    tail.push(bytes(text));
    expect(tail.last(9)).toEqual(expected);
  });

  it('R120 bounds what it keeps of an endless line', () => {
    const tail = makeOutputTail(5, 10);
    for (let index = 0; index < 1000; index += 1) tail.push(bytes('x'.repeat(1000)));
    expect(tail.last(5)).toEqual(['xxxxxxxxxx']);
  });
});
