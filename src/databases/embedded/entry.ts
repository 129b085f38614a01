import { stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { ServerAccount } from './server-account.js';

/**
 * Whether `account` may enter `folder` and every folder above it. `undefined` stands for this process's
 * own account, which got here itself. Access-control lists are not looked at, only the mode bits.
 */
export async function canEnter(folder: string, account: ServerAccount | undefined): Promise<boolean> {
  if (!account) return true;
  const { uid, gid, mode } = await stat(folder);
  const bit = uid === account.uid ? 0o100 : gid === account.gid ? 0o010 : 0o001;
  if ((mode & bit) === 0) return false;
  const parent = dirname(folder);
  return parent === folder || canEnter(parent, account);
}
