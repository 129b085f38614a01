import { Socket } from 'node:net';

/**
 * The sockets of one connection. A peer that accepts and never answers holds a query, and whoever waits
 * for it, for ever; ending the socket is the only way to get the query back as an error.
 */
export class TrackedSockets {
  private readonly sockets = new Set<Socket>();

  /** For `pg`'s `stream` option. */
  readonly create = (): Socket => {
    const socket = new Socket();
    this.sockets.add(socket);
    socket.once('close', () => this.sockets.delete(socket));
    return socket;
  };

  /** Of those that are open. */
  get bytesRead(): number {
    return [...this.sockets].reduce((sum, { bytesRead }) => sum + bytesRead, 0);
  }

  destroyAll(reason: Error): void {
    for (const socket of this.sockets) socket.destroy(reason);
  }
}
