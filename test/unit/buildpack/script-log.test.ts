import { describe, expect, it } from '@jest/globals';
import { evidence, type LogRules, makeScriptLog } from '../../../src/buildpack/script-log.js';
import type { Event } from '../../../src/values/events.js';

const ABOUT = { step: 'compile', subject: 'ruby' } as const;

/** What is passed on of these pieces, with the codes of notices between them. */
function passed(pieces: readonly string[], rules: LogRules): readonly string[] {
  const events: Event[] = [];
  const log = makeScriptLog(ABOUT, rules, (event) => events.push(event));
  for (const piece of pieces) log.add(Buffer.from(piece), 'stdout');
  log.end();
  return events.flatMap((event) => {
    if (event.type === 'output') return [Buffer.from(event.bytes).toString()];
    return event.type === 'notice' ? [event.code] : [];
  });
}

describe('makeScriptLog', () => {
  it('passes on what comes, as it comes', () => {
    expect(passed(['one ', 'two'], {})).toEqual(['one ', 'two']);
  });

  it('passes on as much as it may, and says once that there was more', () => {
    expect(passed(['12345', '678', '9'], { logBytes: 7 })).toEqual(['12345', '67', 'LOG_CUT']);
    expect(passed(['12345', '67'], { logBytes: 7 })).toEqual(['12345', '67']);
    expect(passed(['1234567', '8', '9'], { logBytes: 7 })).toEqual(['1234567', 'LOG_CUT']);
    expect(passed(['1'], { logBytes: 0 })).toEqual(['LOG_CUT']);
  });

  it('passes on at the end what could have become a secret, and counts what is shown', () => {
    const secrets = [Buffer.from('verysecret')];
    expect(passed(['a very', 'secret', ' very'], { secrets })).toEqual(['a ', '<redacted>', ' ', 'very']);
    expect(passed(['verysecret and'], { secrets, logBytes: 12 })).toEqual(['<redacted> a', 'LOG_CUT']);
  });

  it('keeps the last lines without secrets, also of what is not passed on', () => {
    const log = makeScriptLog(ABOUT, { secrets: [Buffer.from('verysecret')], logBytes: 1 });
    log.add(Buffer.from('one\ntwo very'), 'stderr');
    log.add(Buffer.from('secret\nthree'), 'stderr');
    log.end();
    expect(log.last(2)).toEqual(['two <redacted>', 'three']);
  });
});

describe('evidence', () => {
  it('has the last lines, and before them the hosts that any line kept names', () => {
    const lines = [
      'curl: (6) Could not resolve host: a.example',
      ...Array.from({ length: 30 }, (_, at) => `line ${at}`),
    ];
    const text = evidence('its last lines:', lines).split('\n');
    expect(text.slice(0, 3)).toEqual([
      'the buildpack tried to reach a.example, and could not',
      'its last lines:',
      '  line 10',
    ]);
    expect(text).toHaveLength(22);
  });

  it.each([
    "lib.sh: line 2: $'\\r': command not found",
    "lib.sh: line 3: syntax error near unexpected token `$'{\\r''",
    'lib.sh: 2: \\r: not found',
    "ls: cannot access 'dir'$'\\r': No such file or directory",
  ])('R8 names Windows line endings when the script stumbled over them: %s', (line) => {
    expect(evidence('its last lines:', [line, 'more']).split('\n')[0]).toBe(
      "a file that it reads has Windows line endings, which sed -i 's/\\r$//' FILE takes away",
    );
  });

  it.each(["+ tr -d '\\r'", "+ IFS=$'\\r'", "sed 's/\\r$//'"])('R8 names none for %s', (line) => {
    expect(evidence('its last lines:', [line])).toBe(`its last lines:\n  ${line}`);
  });

  it('says so when there is nothing', () => {
    expect(evidence('its last lines:', [])).toBe('it printed nothing');
  });
});
