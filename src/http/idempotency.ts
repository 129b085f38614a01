import { createHash } from 'node:crypto';
import type { EntityManager } from 'typeorm';
import { Problem } from './problem.js';

/** Who repeats what. Keys of different actors never meet. */
export interface IdempotentRequest {
  /** Id of the caller's account. */
  readonly actor: string;
  /** The `Idempotency-Key` header as it came; without one the work simply runs. */
  readonly key: string | undefined;
  /** Method and path without its query: the same key on another patient's records is another request. */
  readonly route: string;
  /** The request's body, parsed. */
  readonly body: unknown;
}

/** What is answered, and answered again. `body` must survive JSON. */
export interface Answer<T = unknown> {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: T;
}

interface StoredAnswer<T> extends Answer<T> {
  readonly fingerprint: string;
}

/**
 * Runs `work` once per key, in the transaction of `manager`, and stores its answer there. A repeated
 * request gets the stored answer with `Idempotency-Replayed: true`; one that comes while the first
 * still runs waits for it. When `work` throws, the key is free again, as nothing has happened.
 * Throws a {@link Problem}: 400 for an unusable key, 422 for a key used with another request.
 */
export async function idempotent<T>(
  manager: EntityManager,
  request: IdempotentRequest,
  work: () => Promise<Answer<T>>,
): Promise<Answer<T>> {
  if (request.key === undefined) return work();
  refuseUnusableKey(request.key);
  const fingerprint = fingerprintOf(request);
  if (!(await claim(manager, request, fingerprint))) return replay(manager, request, fingerprint);
  const answer = await work();
  await store(manager, request, answer);
  return answer;
}

/**
 * Takes the key, or waits for the transaction that holds it. PostgreSQL lets the second INSERT of a
 * key wait until the first transaction ends: committed, it inserts nothing; rolled back, it succeeds.
 */
async function claim(manager: EntityManager, { actor, key, route }: IdempotentRequest, fingerprint: string) {
  const claimed = await manager.query<unknown[]>(
    `INSERT INTO idempotency_keys (actor, key, route, fingerprint) VALUES ($1, $2, $3, $4)
     ON CONFLICT (actor, key) DO NOTHING RETURNING 1`,
    [actor, key, route, fingerprint],
  );
  return claimed.length === 1;
}

async function replay<T>(manager: EntityManager, { actor, key }: IdempotentRequest, fingerprint: string) {
  const [stored] = await manager.query<StoredAnswer<T>[]>(
    `SELECT fingerprint, status, headers, body FROM idempotency_keys WHERE actor = $1 AND key = $2`,
    [actor, key],
  );
  // Expired between the two statements: the client may simply repeat.
  if (!stored)
    throw new Problem(503, 'try-again', 'Please repeat the request', { headers: { 'retry-after': '1' } });
  if (stored.fingerprint !== fingerprint) throw reusedKey();
  const { status, headers, body } = stored;
  return { status, headers: { ...headers, 'idempotency-replayed': 'true' }, body };
}

async function store(
  manager: EntityManager,
  { actor, key }: IdempotentRequest,
  answer: Answer,
): Promise<void> {
  await manager.query(
    `UPDATE idempotency_keys SET status = $3, headers = $4, body = $5 WHERE actor = $1 AND key = $2`,
    [actor, key, answer.status, JSON.stringify(answer.headers), JSON.stringify(answer.body ?? null)],
  );
}

/** Forgets keys that are older than `hours`: no client repeats a request that late. Returns how many. */
export async function forgetOldKeys(manager: EntityManager, hours: number): Promise<number> {
  const [, count] = await manager.query<[unknown[], number]>(
    `DELETE FROM idempotency_keys WHERE created_at < now() - make_interval(hours => $1)`,
    [hours],
  );
  return count;
}

function fingerprintOf({ route, body }: IdempotentRequest): string {
  return createHash('sha256')
    .update(`${route}\n${JSON.stringify(body, inKeyOrder)}`)
    .digest('base64');
}

/** A client library may write the members of an object in another order when it retries. */
function inKeyOrder(_key: string, value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** Throws a 400 {@link Problem} for a key that is empty, too long or not printable ASCII. */
export function refuseUnusableKey(key: string | readonly string[] | undefined): void {
  if (key === undefined || /^[\x20-\x7e]{1,255}$/.test(String(key))) return;
  throw new Problem(400, 'malformed-header', 'Idempotency-Key cannot be used', {
    detail: 'It holds 1 to 255 printable ASCII characters; a UUID is a good choice.',
  });
}

function reusedKey(): Problem {
  return new Problem(422, 'idempotency-key-reused', 'The Idempotency-Key was used for another request', {
    detail: 'Use a new key for a new request, and the same body for a retry.',
  });
}
