import pg, { type ClientBase, type QueryConfig, type QueryResult, type QueryResultRow } from 'pg';

/** Parameters of this size are handed to the socket as they are; smaller ones are gathered. */
const LARGE = 16 * 1024;
/** The kind of the message that binds parameters to a statement. */
const BIND = 'B';
const [TEXT, BINARY] = [0, 1];

/** As the driver gives them. */
interface Binding {
  readonly portal?: string;
  readonly statement?: string;
  readonly values?: readonly unknown[];
  readonly valueMapper: (value: unknown, index: number) => Buffer | string | null | undefined;
}

/**
 * Runs a query with large `Buffer`s among its values, which the socket gets as they are: the driver would copy them into
 * memory that it makes anew for each query (see `copyOut`). They must not change before the answer is there.
 */
export function queryWithBytes<R extends QueryResultRow>(
  client: ClientBase,
  config: QueryConfig,
): Promise<QueryResult<R>> {
  return new Promise((resolve, reject) => {
    const query = new pg.Query<R>(config, (error, result) => {
      if (error) reject(error);
      else resolve(result);
    });
    // Of the driver's own steps (parse, bind, describe, execute, sync) only one is another.
    const driver = query as unknown as { prepare: (connection: pg.Connection) => void };
    const prepare = driver.prepare.bind(query);
    driver.prepare = (connection) => {
      const bind = (binding: Binding) => {
        for (const part of bindMessage(binding)) connection.stream.write(part);
      };
      prepare(Object.create(connection, { bind: { value: bind } }) as pg.Connection);
    };
    client.query(query);
  });
}

/** Source: PostgreSQL's documentation, "Message Formats", Bind (F). */
function bindMessage({ portal = '', statement = '', values = [], valueMapper }: Binding): Buffer[] {
  const given = values.map((value, index) => valueMapper(value, index) ?? null);
  const formats = given.map((value) => int16(Buffer.isBuffer(value) ? BINARY : TEXT));
  const body = [
    Buffer.from(`${portal}\0${statement}\0`),
    ...[int16(given.length), ...formats],
    ...[int16(given.length), ...given.flatMap(withLength)],
    ...[int16(1), int16(TEXT)],
  ];
  const length = body.reduce((sum, part) => sum + part.length, 4);
  return gathered([Buffer.from(BIND), int32(length), ...body]);
}

function withLength(value: Buffer | string | null): Buffer[] {
  if (value === null) return [int32(-1)];
  const bytes = Buffer.isBuffer(value) ? value : Buffer.from(value);
  return [int32(bytes.length), bytes];
}

function gathered(parts: readonly Buffer[]): Buffer[] {
  const written: Buffer[] = [];
  let small: Buffer[] = [];
  for (const part of parts) {
    if (part.length < LARGE) {
      small.push(part);
    } else {
      written.push(Buffer.concat(small), part);
      small = [];
    }
  }
  return [...written, Buffer.concat(small)];
}

function int16(value: number): Buffer {
  const bytes = Buffer.alloc(2);
  bytes.writeInt16BE(value);
  return bytes;
}

function int32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32BE(value);
  return bytes;
}
