import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { call, type Reply } from '../accounts/api.js';
import type { TestApplication } from '../harness/application.js';
import { until } from '../harness/until.js';

/** The files that the product ships for its demonstration. */
export const PATIENTS = gunzipSync(readFileSync('src/imports/demo-data/Patient.ndjson.gz'));
export const ALLERGIES = gunzipSync(readFileSync('src/imports/demo-data/AllergyIntolerance.ndjson.gz'));

export const resourcesOf = (ndjson: Buffer): any[] =>
  ndjson
    .toString()
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));

export interface Sending {
  readonly token: string;
  readonly type?: string;
  readonly query?: string;
  readonly headers?: Record<string, string>;
}

/** `POST /imports` with `body` as it is. A form brings its own type. */
export async function send(
  url: string,
  body: string | Buffer | FormData,
  { token, type = 'application/fhir+ndjson', query = '', headers }: Sending,
): Promise<Reply> {
  const answer = await fetch(`${url}/api/v1/imports${query}`, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${token}`,
      ...(body instanceof FormData ? {} : { 'content-type': type }),
      ...headers,
    },
    body: body instanceof Buffer ? new Uint8Array(body) : body,
  });
  return { status: answer.status, headers: answer.headers, body: await answer.json() };
}

/** The import as it is when it is over. */
export async function finished(url: string, token: string, id: string): Promise<any> {
  return until(
    async () => {
      const { body } = await call(url, `GET /imports/${id}`, { token });
      return body.state === 'done' || body.state === 'failed' ? body : undefined;
    },
    { what: `import ${id} is over`, timeoutMs: 60_000 },
  );
}

/** Imports and waits for the end. */
export async function importAll(
  url: string,
  body: string | Buffer | FormData,
  sending: Sending,
): Promise<any> {
  const { status, body: accepted } = await send(url, body, sending);
  if (status !== 202) throw new Error(`POST /imports: ${status} ${JSON.stringify(accepted)}`);
  return finished(url, sending.token, accepted.id);
}

export function formOf(files: Record<string, Buffer | string>): FormData {
  const form = new FormData();
  for (const [name, content] of Object.entries(files)) {
    const bytes = typeof content === 'string' ? content : new Uint8Array(content);
    form.append('file', new Blob([bytes]), name);
  }
  return form;
}

export async function count({ regionale }: TestApplication, sql: string): Promise<number> {
  return (await regionale.query<{ count: number }>(`SELECT count(*)::int AS count FROM ${sql}`)).rows[0]!
    .count;
}

/** Every row of a table as JSON text, by id: two databases hold the same when these are equal. */
export async function rowsOf(client: TestApplication['regionale']): Promise<Map<string, string>> {
  const { rows } = await client.query<{ id: string; row: string }>(
    'SELECT p.id, to_jsonb(p)::text AS row FROM patients p ORDER BY p.id',
  );
  return new Map(rows.map(({ id, row }) => [id, row]));
}
