import { type DoctorResult, doctor } from '../../doctor.js';
import type { Finding } from '../../values/finding.js';
import { exitStatusOfCode } from '../exit-status.js';
import type { CommonFlags, Outcome, Session } from '../session.js';

export async function runDoctor(registries: readonly string[], flags: CommonFlags, session: Session): Promise<Outcome> {
  const { cacheDir, tools } = session;
  const request = { cacheDir, registries, authorities: flags.caCert, node: process.version };
  const result = await doctor(request, tools);
  return {
    data: { ...result, code: result.code ?? null },
    text: describe(result).join('\n'),
    status: result.code === undefined ? 0 : exitStatusOfCode(result.code),
  };
}

function describe({ ok, checks }: DoctorResult): readonly string[] {
  const width = Math.max(...checks.map(({ name }) => name.length));
  const failing = checks.filter(({ code }) => code !== undefined).map(({ name }) => name);
  const verdict = ok ? 'nothing stands in the way of pack-build here' : `what stands in the way: ${failing.join(', ')}`;
  return [...checks.flatMap((check) => rows(check, width)), '', verdict];
}

function rows({ state, name, found, fix }: Finding, width: number): readonly string[] {
  const first = `${state.padEnd(4)}  ${name.padEnd(width)}  ${found}`;
  return fix === undefined ? [first] : [first, `${' '.repeat(width + 8)}fix: ${fix}`];
}
