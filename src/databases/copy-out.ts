import pg, { type ClientBase } from 'pg';
import type { ReusedBytes } from './reused-bytes.js';

const COPY_DATA = 'd'.charCodeAt(0);
/** The server has sent everything, or an error in its place. */
const ENDS = ['c', 'E'].map((sign) => sign.charCodeAt(0));
/** A sign for the kind of a message, and its length, which counts itself. */
const HEADER_BYTES = 5;

/**
 * Runs a `COPY … TO STDOUT` and gathers in `into` what it sends. The bytes do not pass through the driver, which takes new
 * memory for each message, and several times what it needs: under that pressure the garbage collector held up all
 * requests for 50 to 100 ms, two or three times a second, while a backlog was sent.
 */
export function copyOut(client: ClientBase, statement: string, into: ReusedBytes): Promise<void> {
  return new Promise((resolve, reject) => {
    const query = new pg.Query(statement, (error) => {
      if (error) reject(error);
      else resolve();
    });
    const submit: (connection: pg.Connection) => unknown = query.submit.bind(query);
    query.submit = (connection) => {
      divert(connection.stream, into);
      return submit(connection);
    };
    into.clear();
    client.query(query);
  });
}

type Listener = (bytes: Buffer) => void;

/** Until the COPY has ended, the driver hears only what is not its data. */
function divert(stream: NodeJS.EventEmitter, into: ReusedBytes): void {
  const [driver, ...others] = stream.listeners('data') as Listener[];
  if (!driver || others.length > 0) throw new Error('Not only the driver listens to the session');
  const messages = new CopyMessages((bytes) => into.append(bytes), driver);
  const listener = (bytes: Buffer) => {
    const rest = messages.take(bytes);
    if (!rest) return;
    stream.removeListener('data', listener).on('data', driver);
    driver(rest);
  };
  stream.removeListener('data', driver).on('data', listener);
}

/** Splits a stream of the server's messages, which comes in any pieces, into the data of a COPY and all else. */
export class CopyMessages {
  private readonly header = Buffer.alloc(HEADER_BYTES);
  private headerBytes = 0;
  /** Of the message that has begun. */
  private bytesLeft = 0;

  constructor(
    private readonly data: Listener,
    private readonly other: Listener,
  ) {}

  /** When the COPY has ended: what comes from its last message on. Before, `undefined`. */
  take(bytes: Buffer): Buffer | undefined {
    let at = 0;
    while (at < bytes.length) {
      if (this.bytesLeft === 0) {
        at += this.takeHeader(bytes.subarray(at));
        if (this.headerBytes < HEADER_BYTES) break;
        if (ENDS.includes(this.header[0]!)) return Buffer.concat([this.header, bytes.subarray(at)]);
        this.begin();
      } else {
        const part = bytes.subarray(at, at + this.bytesLeft);
        this.pass(part);
        this.bytesLeft -= part.length;
        at += part.length;
      }
    }
    return undefined;
  }

  private takeHeader(bytes: Buffer): number {
    const taken = bytes.copy(this.header, this.headerBytes);
    this.headerBytes += taken;
    return taken;
  }

  private begin(): void {
    this.headerBytes = 0;
    this.bytesLeft = this.header.readInt32BE(1) - (HEADER_BYTES - 1);
    if (this.header[0] !== COPY_DATA) this.other(Buffer.from(this.header));
  }

  private pass(part: Buffer): void {
    if (this.header[0] === COPY_DATA) this.data(part);
    else this.other(part);
  }
}
