import type { FastifyInstance } from 'fastify';
import { Problem } from './problem.js';

/** How long running requests may take to end before their connections are cut. */
const GRACE_MS = 4_000;

/**
 * While the server closes, new requests on open connections are told to go elsewhere, and running ones
 * may end. A stream, or a client that does not read its answer, would never end: it is cut.
 */
export function closeInTime(instance: FastifyInstance): void {
  let closing = false;
  instance.addHook('preClose', (done) => {
    closing = true;
    const cut = setTimeout(() => instance.server.closeAllConnections(), GRACE_MS);
    instance.server.once('close', () => clearTimeout(cut));
    done();
  });
  instance.addHook('onRequest', (_request, _reply, done) => done(closing ? shuttingDown() : undefined));
}

function shuttingDown(): Problem {
  return new Problem(503, 'shutting-down', 'This node is stopping', {
    headers: { 'retry-after': '5', connection: 'close' },
  });
}
