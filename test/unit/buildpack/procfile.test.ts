import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { parseProcfile } from '../../../src/buildpack/procfile.js';
import { PackBuildError } from '../../../src/values/error.js';

const parse = (text: string, strict = false) => parseProcfile(Buffer.from(text), { strict });
const processes = (text: string) => Object.fromEntries(parse(text).processes);

function failure(text: string, strict = false) {
  try {
    parse(text, strict);
  } catch (error) {
    if (error instanceof PackBuildError)
      return { code: error.code, what: error.message, why: error.why, fix: error.fix };
    throw error;
  }
  throw new Error('it did not fail');
}

function failureOfBytes(bytes: readonly number[]) {
  try {
    return parseProcfile(new Uint8Array(bytes));
  } catch (error) {
    return error;
  }
}

describe('parseProcfile', () => {
  it('R83 reads a byte order mark, carriage returns, tabs, comments and a last line without end', () => {
    const text =
      '\ufeffweb: bin/web --port $PORT \t\r\n\r\n  # Contents of x: appended\r\n\tworker:\tbin/worker\r\nclock:run';
    expect(processes(text)).toEqual({ web: 'bin/web --port $PORT', worker: 'bin/worker', clock: 'run' });
  });

  it.each(['echo foo: bar', '"a" b', '@x', '{}', '[a]', '# x', "FOO='b' cd x && y | z", '| |', '&anchor', '*alias'])(
    'R83 takes a command for shell text and not for YAML: %s',
    (command) => {
      expect(processes(`web: ${command}\n`)).toEqual({ web: command });
    },
  );

  it.each(['web : x', 'no colon', 'we.b: x', '- web: x', '"web": x', 'wéb: x'])(
    'R84 ignores a malformed line with a notice: %s',
    (line) => {
      const { processes, notices } = parse(`ok: x\n${line}\n`);
      expect([...processes.keys()]).toEqual(['ok']);
      expect(notices).toEqual([
        {
          code: 'PROCFILE_LINE_IGNORED',
          message: `line 2 of the Procfile is not \`type: command\` and is ignored: \`${line.replaceAll('"', '\\"')}\``,
        },
      ]);
    },
  );

  it('R84 refuses a malformed line when strict', () => {
    expect(failure('web: x\nweb : y\n', true)).toEqual({
      code: 'PROCFILE_MALFORMED',
      what: 'line 2 of the Procfile is not `type: command`',
      why: 'line 2: `web : y`',
      fix: 'write `type: command` with letters, digits, `-` and `_` before the colon, or begin the line with `#`',
    });
  });

  it('R84 refuses a name without a command and a command without a name', () => {
    expect(failure('# x\nweb: \t\r\n')).toEqual({
      code: 'PROCFILE_MALFORMED',
      what: 'line 2 of the Procfile declares no process',
      why: 'line 2: `web:`: there is no command after the colon',
      fix: 'write the command after `web:`, or remove the line',
    });
    expect(failure(': x')).toMatchObject({ why: 'line 1: `: x`: there is no process type before the colon' });
  });

  it('R84 lets the last line of a type win, with a notice', () => {
    const { processes, notices } = parse('web: a\nworker: w\nweb: b\n');
    expect([...processes]).toEqual([
      ['web', 'b'],
      ['worker', 'w'],
    ]);
    expect(notices).toEqual([
      {
        code: 'PROCFILE_DUPLICATE',
        message: 'the Procfile declares `web` more than once; line 3 wins over the earlier one',
      },
    ]);
  });

  it('R85 keeps the written name with a notice, and refuses two that stricter platforms take for one', () => {
    expect(parse('My_Worker: x').notices.map(({ code }) => code)).toEqual(['PROCESS_NAME']);
    expect(parse(`${'a'.repeat(64)}: x`).notices).toHaveLength(1);
    expect(parse('my-worker2: x').notices).toEqual([]);
    expect(failure('my_worker: x\nMY-worker: y')).toMatchObject({
      code: 'PROCFILE_MALFORMED',
      what: 'the Procfile declares both `my_worker` and `MY-worker`',
    });
  });

  it('BP-3 refuses what is not text', () => {
    expect(failure('web: a\0b')).toMatchObject({
      code: 'PROCFILE_MALFORMED',
      why: 'line 1: `web: a\\u0000b`: it contains a NUL byte',
    });
    const utf16 = { message: 'the Procfile is not UTF-8 text', why: 'it begins like a UTF-16 file' };
    expect(failureOfBytes([0xff, 0xfe, 0x77, 0])).toMatchObject(utf16);
    expect(failureOfBytes([0xfe, 0xff, 0, 0x77])).toMatchObject(utf16);
    expect(failureOfBytes([0xff])).toMatchObject({ why: 'line 1 has bytes that are not UTF-8' });
    expect(failureOfBytes([...Buffer.from('ü: b\nc: '), 0xff, 0x0a])).toMatchObject({ details: { line: 2 } });
  });

  it('BP-3 escapes control characters in what it quotes', () => {
    expect(parse('\u001b[31mred\u009b\u202e').notices[0]?.message).toContain('`\\u001b[31mred\\u009b\\u202e`');
  });

  it('BP-2 takes the names of built-in properties for names', () => {
    expect([...parse('__proto__: a\nconstructor: b').processes]).toEqual([
      ['__proto__', 'a'],
      ['constructor', 'b'],
    ]);
    expect(({} as Record<string, unknown>)['a']).toBeUndefined();
  });

  it.each([
    ['a million lines', 'x\n'.repeat(1_000_000)],
    ['a million types', Array.from({ length: 200_000 }, (_, index) => `t${index}: x\n`).join('')],
    ['a line of spaces', `web:${' '.repeat(1 << 20)}x${' '.repeat(1 << 20)}`],
    ['a line of colons', ':'.repeat(1 << 20).padStart((1 << 20) + 1, 'a')],
    ['a line of tabs', '\t'.repeat(1 << 20)],
  ])('BP-3 needs linear time for %s', (_, text) => {
    const begun = performance.now();
    const { notices } = parse(text);
    expect(performance.now() - begun).toBeLessThan(20_000);
    expect(notices.length).toBeLessThan(30);
  });

  it('reads back whatever is written as type and command', () => {
    const type = fc.stringMatching(/^[a-z0-9]{1,20}$/);
    const command = fc
      .string({ minLength: 1, unit: 'grapheme' })
      .map((text) => text.replace(/[\n\0]/g, 'x').trim())
      .filter((text) => text !== '');
    fc.assert(
      fc.property(
        fc.uniqueArray(fc.tuple(type, command), { selector: ([name]) => name }),
        fc.constantFrom('\n', '\r\n'),
        (entries, end) => {
          const text = entries.map(([name, value]) => `${name}: ${value}${end}`).join('');
          expect([...parse(text, true).processes]).toEqual(entries);
        },
      ),
    );
  });

  it('throws nothing but its own error on any bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), fc.boolean(), (bytes, strict) => {
        try {
          parseProcfile(bytes, { strict });
        } catch (error) {
          expect(error).toMatchObject({ code: 'PROCFILE_MALFORMED' });
        }
      }),
    );
  });
});
