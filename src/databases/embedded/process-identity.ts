import { readFileSync } from 'node:fs';
import { systemCode } from './embedded-error.js';

/** A process, told apart from a later one that got the same id. */
export interface ProcessIdentity {
  readonly pid: number;
  /** When the kernel started it, in its own units; `''` where the system does not say. */
  readonly startedAt: string;
}

/** Whether a process with this id runs. A zombie, whose parent has not noticed yet, does not. */
export function isAlive(pid: number): boolean {
  if (!Number.isInteger(pid) || pid <= 0) return false;
  try {
    process.kill(pid, 0);
  } catch (error) {
    return systemCode(error) === 'EPERM';
  }
  return statOf(pid)?.[STATE] !== 'Z';
}

export function identify(pid: number): ProcessIdentity {
  return { pid, startedAt: statOf(pid)?.[STARTED] ?? '' };
}

export function isSameProcessAlive(identity: ProcessIdentity): boolean {
  return isAlive(identity.pid) && identify(identity.pid).startedAt === identity.startedAt;
}

/** Fields of /proc/<pid>/stat, counted after the program's name, which may hold spaces. */
const STATE = 0;
const STARTED = 19;

function statOf(pid: number): readonly string[] | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'latin1');
    return text.slice(text.lastIndexOf(')') + 2).split(' ');
  } catch (error) {
    if (['ENOENT', 'ESRCH'].includes(systemCode(error) ?? '')) return undefined;
    throw error;
  }
}
