import { ERROR_PHASES, type ErrorCode, isFailure, type Phase } from '../values/error.js';

const STATUS: Readonly<Record<Phase, number>> = {
  bug: 1,
  usage: 2,
  base: 10,
  detect: 20,
  compile: 30,
  release: 40,
  layers: 50,
  registry: 60,
  rebase: 70,
  sandbox: 80,
  policy: 90,
  interrupted: 130,
};

/** The exit status for an error: by phase in tens, one more for a phase that took too long, 1 for a bug of ours. */
export function exitStatusOf(error: unknown): number {
  return isFailure(error) ? exitStatusOfCode(error.code) : STATUS.bug;
}

export function exitStatusOfCode(code: ErrorCode): number {
  return STATUS[ERROR_PHASES[code]] + (code.endsWith('_TIMEOUT') ? 1 : 0);
}
