import { createServer } from 'node:net';
import { systemCode } from './embedded-error.js';

/** A port of 127.0.0.1 on which nothing listens now: `wanted` when it is free, else any. */
export async function freePort(wanted = 0): Promise<number> {
  const server = createServer();
  try {
    return await new Promise<number>((resolve, reject) => {
      server.once('error', reject);
      server.listen({ port: wanted, host: '127.0.0.1', exclusive: true }, () => {
        resolve((server.address() as { port: number }).port);
      });
    });
  } catch (error) {
    if (wanted !== 0 && ['EADDRINUSE', 'EACCES'].includes(systemCode(error) ?? '')) return await freePort();
    throw error;
  } finally {
    await new Promise<void>((resolve) =>
      server.close(() => {
        resolve();
      }),
    );
  }
}
