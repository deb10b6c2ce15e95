import { stat } from 'node:fs/promises';
import { userInfo } from 'node:os';

/** Who runs this. In a container, a uid often has no name. */
export interface OwnUser {
  readonly uid: number;
  readonly name?: string | undefined;
}

export async function ownUser(): Promise<OwnUser> {
  try {
    const { uid, username } = userInfo();
    return { uid, name: username };
  } catch {
    return { uid: (await stat('/proc/self')).uid };
  }
}
