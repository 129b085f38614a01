import { logIn } from '../harness/application.js';

export interface Reply {
  readonly status: number;
  readonly headers: Headers;
  // What a test reads from an answer is what it asserts on.
  readonly body: any;
}

export interface CallOptions {
  readonly token?: string;
  readonly body?: unknown;
  readonly headers?: Record<string, string>;
}

/** One request under `/api/v1`. Like `call(node.url, 'GET /auth/me', { token })`. */
export async function call(
  url: string,
  request: string,
  { token, body, headers }: CallOptions = {},
): Promise<Reply> {
  const [method, path] = request.split(' ');
  const answer = await fetch(`${url}/api/v1${path}`, {
    method: method!,
    headers: {
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      ...headers,
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await answer.text();
  return { status: answer.status, headers: answer.headers, body: text === '' ? undefined : JSON.parse(text) };
}

export const PASSWORD = 'neuf-pirogues-a-Soumbedioune';
let accounts = 0;

/** A new account made by the holder of `token`, and an access token of its own. */
export async function newAccount(
  url: string,
  token: string,
  fields: { role: string; region?: string | null },
) {
  accounts += 1;
  const email = `${fields.role}-${accounts}@medlink.example`;
  const draft = { email, password: PASSWORD, fullName: `Test ${fields.role}`, ...fields };
  const { status, body } = await call(url, 'POST /users', { token, body: draft });
  if (status !== 201) throw new Error(`POST /users: ${status} ${JSON.stringify(body)}`);
  return { id: body.id as string, email, token: await logIn(url, { email, password: PASSWORD }) };
}
