import type pg from 'pg';
import type { ClientBase } from 'pg';

/**
 * What `work` sends on a session at once leaves in one packet: each write to a socket costs this process 0.2 ms where
 * the other side has to be woken, which is more than all else that it does for a short query.
 */
export function inOnePacket<T>(client: ClientBase, work: () => T): T {
  const { stream } = (client as unknown as { connection: pg.Connection }).connection;
  stream.cork();
  process.nextTick(() => {
    stream.uncork();
  });
  return work();
}
