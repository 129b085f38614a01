import { types } from 'node:util';
import { Problem } from './problem.js';

const SECONDS_TO_WAIT = '2';
/** Room comes back when a person makes some. */
const SECONDS_UNTIL_ROOM = '60';
/** Insufficient Storage. */
export const STORAGE_FULL = 507;

/** What the network and the pool say when there was no session: nothing can have happened. */
const NEVER_REACHED = new Set(['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN', 'ENOENT']);
const NO_SESSION = /^(timeout exceeded when trying to connect|timeout expired)/;

/** What they say when a session ended under way: what it was about to commit may be committed. */
const BROKEN = new Set(['ECONNRESET', 'EHOSTUNREACH', 'ENETUNREACH', 'ETIMEDOUT', 'EPIPE']);
/** The last two are TypeORM's, whose transaction has lost its session. */
const SESSION_BROKEN = new RegExp(
  '^(Connection terminated|Query read timeout|Client has encountered a connection error|' +
    'Query runner already released|Database connection provided by a query runner was already released)',
);

/** How each SQLSTATE, or else its class, is told to the client. */
const PROBLEMS: Readonly<Record<string, () => Problem>> = {
  '23505': () => new Problem(409, 'conflict', 'This clashes with what is stored already'),
  '23': () => new Problem(409, 'conflict', 'This clashes with what is stored already'),
  // U+0000 in a text or in JSON; a character that the database's encoding does not have.
  '22021': unacceptable,
  '22P05': unacceptable,
  // Too long, out of range.
  '22001': unacceptable,
  '22003': unacceptable,
  '22008': unacceptable,
  '22P02': malformed,
  '22007': malformed,
  '25006': () => unavailable('read-only', 'The database takes no changes for now'),
  '40': () => unavailable('try-again', 'Too many changes met at once'),
  '55P03': () => unavailable('try-again', 'Too many changes met at once'),
  '53100': noRoom,
  '53': () => unavailable('database-busy', 'The database has no capacity left for now'),
  '57014': () => unavailable('too-slow', 'The database took too long'),
  // The server starts, and takes nobody in yet.
  '57P03': databaseAway,
  '57': databaseLost,
  '58': databaseLost,
  '08': databaseLost,
  // There is no such database, or it lets this node no longer in.
  '3D': databaseAway,
  '28': databaseAway,
};

/**
 * The problem behind an error of the database or of the way to it; `undefined` for what a client could
 * not have caused nor wait out, which is a fault of the program. The error may be wrapped in the one that
 * tells what failed because of it.
 */
export function databaseProblem(error: unknown): Problem | undefined {
  for (let current = error; types.isNativeError(current); current = current.cause) {
    const problem = postgresProblem(current);
    if (problem) return problem;
  }
  return undefined;
}

/** Whether `error` says that no database answers there now. */
export function isDatabaseAway(error: unknown): boolean {
  return databaseProblem(error)?.type === databaseAway().type;
}

function postgresProblem(error: Error): Problem | undefined {
  const { code } = error as { code?: unknown };
  if (NO_SESSION.test(error.message)) return databaseAway();
  if (SESSION_BROKEN.test(error.message)) return databaseLost();
  if (typeof code !== 'string') return undefined;
  if (NEVER_REACHED.has(code)) return databaseAway();
  if (BROKEN.has(code)) return databaseLost();
  if (!/^[0-9A-Z]{5}$/.test(code)) return undefined;
  return (PROBLEMS[code] ?? PROBLEMS[code.slice(0, 2)])?.();
}

function unacceptable(): Problem {
  return new Problem(422, 'invalid-input', 'Some values cannot be accepted', {
    detail: 'A value holds a character that cannot be stored, or is out of range.',
  });
}

function malformed(): Problem {
  return new Problem(400, 'malformed-input', 'The request cannot be understood', {
    detail: 'A value does not have the form that it must have.',
  });
}

function unavailable(
  slug: string,
  title: string,
  detail = 'Nothing was changed. Please try again.',
): Problem {
  return new Problem(503, slug, title, { detail, headers: { 'retry-after': SECONDS_TO_WAIT } });
}

function noRoom(): Problem {
  return new Problem(STORAGE_FULL, 'storage-full', 'The database has no room left', {
    detail:
      'Nothing was changed. What is stored can be read; changes are possible again when somebody has made room.',
    headers: { 'retry-after': SECONDS_UNTIL_ROOM },
  });
}

function databaseAway(): Problem {
  return unavailable('database-unavailable', 'The database cannot be reached');
}

/** The answer to a COMMIT may be what was lost. */
function databaseLost(): Problem {
  return unavailable(
    'database-unavailable',
    'The database cannot be reached',
    'The connection broke before the answer came: a change may have been made or not. Read it again, or repeat ' +
      'the request with the same Idempotency-Key.',
  );
}
