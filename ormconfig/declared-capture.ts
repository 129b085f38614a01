import type { ClientBase } from 'pg';

/** What a session of the application calls itself, so that the tables' own capture triggers stay silent. */
export const CAPTURED_BY_APPLICATION = '-c medlink.capture=app';

/** How long the server may take to say what a new session is. */
const ANSWER_TIMEOUT_MS = 5_000;

/**
 * A session is not known as the application's, so the triggers would journal its changes a second time.
 * Something between MedLink and PostgreSQL, a connection pooler most likely, drops the options that a session
 * starts with. Remedy: connect without it, or let it pass them on.
 */
export class CaptureUndeclaredError extends Error {
  readonly code = 'CAPTURE_UNDECLARED';

  constructor() {
    super(
      'The database does not know this session as MedLink’s (medlink.capture is not "app"): something on the way, ' +
        'such as a connection pooler, drops the options of new sessions. Connect to PostgreSQL directly, or let it ' +
        'pass them on.',
    );
    this.name = 'CaptureUndeclaredError';
  }
}

/** For the pool's `verify`: looks at each new session before it is used. Ends with {@link CaptureUndeclaredError}. */
export function verifyDeclared(session: ClientBase, done: (error?: Error) => void): void {
  const query = {
    text: `SELECT current_setting('medlink.capture', true) AS capture`,
    query_timeout: ANSWER_TIMEOUT_MS,
  };
  // The pool listens to a session while it is idle, and its user while it is used; in between nobody does, and an
  // error that nobody hears ends the process. The query tells of it anyway.
  session.on('error', heardByTheQuery);
  session.query<{ capture: string | null }>(query).then(
    ({ rows }) => done(rows[0]?.capture === 'app' ? undefined : new CaptureUndeclaredError()),
    (error: unknown) => done(error as Error),
  );
}

function heardByTheQuery(): void {
  return undefined;
}
