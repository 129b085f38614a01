import { setTimeout as pause } from 'node:timers/promises';
import type { Book, Outcome, Values, Write } from '../book.js';
import type { Account, Region } from '../world.js';

export interface WriteRequest {
  readonly method: 'POST' | 'PATCH' | 'DELETE';
  /** Under `/api/v1`. */
  readonly path: string;
  readonly by: Account;
  readonly body?: unknown;
  readonly headers?: Record<string, string>;
  /** Statuses that are a fair "no" to this request. */
  readonly refusals: readonly number[];
  readonly op: Write['op'];
  readonly sets: Values;
  readonly reason?: string;
  /** The patient, when it is there already. */
  readonly record?: string;
  /** The client goes away after that long, in milliseconds. */
  readonly abandonAfter?: number;
}

interface Reply {
  readonly status: number;
  readonly body: { readonly id?: string; readonly detail?: string } | undefined;
}

/** Sends a write as a client of the API, and notes what came of it. */
export async function send(book: Book, region: Region, id: string, request: WriteRequest): Promise<void> {
  book.note(await attempt(book, region, id, request));
}

/** As {@link send}, by a client that asks again, with the same `Idempotency-Key`, until there is an answer. */
export async function sendUntilAnswered(
  book: Book,
  region: Region,
  id: string,
  request: WriteRequest,
): Promise<void> {
  const first = await attempt(book, region, id, request);
  let last = first;
  for (let more = 4; last.outcome === 'unknown' && more > 0; more--)
    last = await attempt(book, region, id, request);
  // A late "no" says nothing of the first attempt.
  const inDoubt = first.outcome === 'unknown' && last.outcome === 'refused';
  book.note({ ...last, begun: first.begun, outcome: inDoubt ? 'unknown' : last.outcome });
}

async function attempt(book: Book, region: Region, id: string, request: WriteRequest): Promise<Write> {
  const begun = Date.now();
  const { outcome, created } = await ask(book, region, id, request);
  const record = request.record ?? created;
  return {
    id,
    region: region.code,
    through: 'application',
    actor: request.by.id,
    reason: request.reason ?? null,
    op: request.op,
    sets: request.sets,
    records: record === undefined ? [] : [record],
    begun,
    ended: Date.now(),
    outcome,
  };
}

async function ask(book: Book, region: Region, id: string, request: WriteRequest) {
  try {
    const reply = await answerTo(region, id, request);
    return { outcome: outcomeOf(book, request, reply), created: reply.body?.id };
  } catch (error) {
    // No answer, or half of one: nobody knows. People take a breath before they go on.
    await pause(20);
    if (error instanceof SyntaxError) book.unexpected.push(`${request.method} ${request.path}: not JSON`);
    return { outcome: 'unknown' as const, created: undefined };
  }
}

async function answerTo(region: Region, id: string, request: WriteRequest): Promise<Reply> {
  const reason = request.reason === undefined ? '' : `?reason=${encodeURIComponent(request.reason)}`;
  const answer = await fetch(`${region.node.url}/api/v1${request.path}${reason}`, {
    method: request.method,
    headers: {
      authorization: `Bearer ${request.by.token}`,
      'x-request-id': id,
      ...(request.body === undefined ? {} : { 'content-type': 'application/json' }),
      ...request.headers,
    },
    body: request.body === undefined ? undefined : JSON.stringify(request.body),
    // A hung node answers nobody; a client does not wait for ever.
    signal: AbortSignal.timeout(request.abandonAfter ?? 30_000),
  });
  const text = await answer.text();
  return { status: answer.status, body: text === '' ? undefined : (JSON.parse(text) as Reply['body']) };
}

function outcomeOf(book: Book, { method, path, refusals }: WriteRequest, { status, body }: Reply): Outcome {
  if (status < 300) return 'acknowledged';
  // A clock that steps forward ends every access token.
  if (status === 401 || refusals.includes(status)) return 'refused';
  if (status === 503) book.toldToComeAgain += 1;
  if (status === 503) return /nothing was changed/i.test(body?.detail ?? '') ? 'refused' : 'unknown';
  book.unexpected.push(`${method} ${path} answered ${status}: ${JSON.stringify(body)}`);
  return 'unknown';
}
