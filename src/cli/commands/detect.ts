import { detect } from '../../detect.js';
import type { AppFlags } from '../app-request.js';
import { appRequest } from '../app-request.js';
import type { Outcome, Session } from '../session.js';

export async function runDetect([dir = '.']: readonly string[], flags: AppFlags, session: Session): Promise<Outcome> {
  const { request } = await appRequest(dir, flags, session);
  const detected = await detect(request, session.tools);
  return { data: { detected }, text: detected.map(({ id, name }) => `${id}\t${name}`).join('\n') };
}
