import { describe, expect, it } from '@jest/globals';
import { type CliRun, useCli } from '../support/command-line.js';
import { buildpack } from '../support/product.js';

const cli = useCli();

const APP = { 'index.txt': 'hello\n', Procfile: 'web: cat index.txt\nnot a process\n' };

/** Every line of stdout as the object that it is. Nothing is on stderr. */
function events({ stdout, stderr }: CliRun): readonly Readonly<Record<string, unknown>>[] {
  expect(stderr).toBe('');
  expect(stdout.endsWith('\n')).toBe(true);
  return stdout
    .slice(0, -1)
    .split('\n')
    .map((line) => JSON.parse(line));
}

const FIELDS: Readonly<Record<string, readonly string[]>> = {
  'step.start': ['type', 'step', 'subject?'],
  'step.end': ['type', 'step', 'subject?', 'cached?'],
  output: ['type', 'step', 'subject', 'stream', 'text?', 'base64?'],
  report: ['type', 'subject', 'values'],
  info: ['type', 'message'],
  notice: ['type', 'code', 'message'],
  result: ['type'],
};

function expectDocumented(event: Readonly<Record<string, unknown>>): void {
  const fields = FIELDS[`${event['type']}`];
  if (fields === undefined) throw new Error(`an event of an unknown type: ${JSON.stringify(event)}`);
  if (event['type'] === 'result') return;
  for (const field of Object.keys(event)) expect(fields.map((name) => name.replace('?', ''))).toContain(field);
  for (const field of fields) if (!field.endsWith('?')) expect(Object.keys(event)).toContain(field);
}

describe('--json', () => {
  it('prints each event and then the result of a build as a line, and nothing else', async () => {
    const app = await cli.directory(APP);
    const bp = await cli.directory(
      buildpack({ compile: String.raw`echo out; printf '\377\n'`, report: 'echo "tool: 1.2"' }),
    );
    const place = `oci:${app}-image:v1`;
    const all = events(await cli.run(['build', app, '--base', cli.base(), '--buildpack', bp, '--to', place, '--json']));
    for (const event of all) expectDocumented(event);
    expect(all.filter(({ type }) => type === 'result')).toEqual([all.at(-1)]);
    const types = new Set(all.map(({ type }) => type));
    expect([...types].sort()).toEqual(['info', 'notice', 'output', 'report', 'result', 'step.end', 'step.start']);
    const { digest, ...result } = all.at(-1) ?? {};
    expect(Object.keys(result)).toEqual(
      expect.arrayContaining([
        'type',
        'references',
        'bases',
        'stack',
        'created',
        'processes',
        'defaultProcess',
        'buildpacks',
        'layers',
        'reports',
      ]),
    );
    expect(result).toMatchObject({
      references: [`${place.replace(/:v1$/, '')}@${digest}`],
      stack: 'debian-12',
      created: '1980-01-01T00:00:01Z',
      processes: { web: 'cat index.txt' },
      defaultProcess: 'web',
      reports: { [bp]: { tool: 1.2 } },
    });
  });

  it('has output as text, and as base64 where it is none', async () => {
    const app = await cli.directory(APP);
    const bp = await cli.directory(buildpack({ compile: String.raw`printf 'tschüß\n'; sleep 0.3; printf '\377\376'` }));
    const all = events(await cli.run(['build', app, '--base', cli.base(), '--buildpack', bp, '--json']));
    const bytes = all.flatMap(({ type, step, text, base64 }) =>
      type === 'output' && step === 'compile'
        ? [typeof text === 'string' ? Buffer.from(text) : Buffer.from(`${base64}`, 'base64')]
        : [],
    );
    expect(Buffer.concat(bytes)).toEqual(Buffer.concat([Buffer.from('tschüß\n'), Buffer.from([0xff, 0xfe])]));
  });

  it('prints the error as the last line', async () => {
    const app = await cli.directory({ 'index.txt': '' });
    const failed = await cli.run(['build', app, '--base', cli.base(), '--json']);
    expect(failed.status).toBe(20);
    expect(events(failed).at(-1)).toMatchObject({
      type: 'error',
      code: 'DETECT_NONE_MATCHED',
      message: `none of 4 buildpacks recognised the app in ${app}`,
      why: expect.stringContaining('procfile   exit 1'),
      fix: 'add the file one of them looks for, or choose: --buildpack nodejs',
      details: { buildpacks: ['nodejs', 'python', 'go', 'procfile'] },
    });
  });

  it('is understood by every command', async () => {
    const app = await cli.directory(APP);
    const place = `oci:${app}-image:v1`;
    const last = async (...args: readonly string[]) => events(await cli.run([...args, '--json'])).at(-1);
    await cli.run(['build', app, '--base', cli.base(), '--to', place]);
    expect(await last('detect', app, '--base', cli.base())).toEqual({
      type: 'result',
      detected: [{ id: 'procfile', name: 'Procfile' }],
    });
    expect(await last('rebase', place, '--base', cli.base('next'), '--plan')).toMatchObject({
      type: 'result',
      digest: expect.stringMatching(/^sha256:/),
      previous: expect.stringMatching(/^sha256:/),
      references: [],
      plan: {
        isNoop: false,
        layersKept: 3,
        checks: expect.arrayContaining([expect.objectContaining({ name: 'stack' })]),
      },
    });
    expect(await last('inspect', place)).toMatchObject({ type: 'result', platform: { os: 'linux' } });
    expect(await last('run', place)).toEqual({ type: 'result', exit: 0, signal: null });
    expect(await last('base', 'resolve', cli.base())).toMatchObject({ type: 'result', reference: cli.base() });
    expect(await last('cache', 'info')).toMatchObject({ type: 'result', root: `${cli.cacheDir()}/v1` });
    expect(await last('cache', 'prune', '--cache-dir', `${app}-cache`)).toMatchObject({ type: 'result' });
  });
});
