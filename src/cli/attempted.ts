import { exitStatusOf } from './exit-status.js';
import { CLOSED_PIPE_STATUS, type Outputs } from './outputs.js';
import { errorJson, renderError } from './render-error.js';

/** Does something, and gives its exit status when all is written. An error is told as text, or with `json` as data. */
export async function attempted(work: () => Promise<number>, output: Outputs, json: boolean): Promise<number> {
  try {
    const status = await work();
    await output.flush();
    return status;
  } catch (error) {
    tellError(error, output, json);
    const lost = output.lost();
    return lost?.code === 'INTERRUPTED' ? CLOSED_PIPE_STATUS : exitStatusOf(lost ?? error);
  }
}

/** Tells an error, or that nobody can be told: as text, or with `json` as data. */
export function tellError(error: unknown, output: Outputs, json: boolean): void {
  const lost = output.lost();
  if (json && lost === undefined) output.stdout.write(`${JSON.stringify(errorJson(error))}\n`);
  else output.stderr.write(renderError(lost ?? error, output.style));
}
