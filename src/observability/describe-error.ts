import { types } from 'node:util';

/** SQLSTATE classes whose messages name tables, columns and conditions, never a value. */
const CLASSES_WITHOUT_VALUES = new Set(['08', '25', '28', '3D', '40', '42', '53', '55', '57', '58', 'XX']);

/** They quote what they could not read: a text, or a URL. */
const NAMES_WITH_VALUES = new Set(['SyntaxError', 'URIError', 'FastifyError']);

/**
 * An error as the log may hold it. The messages of PostgreSQL about data and of JSON.parse quote the
 * value that they complain of, and so does the first line of a stack: such messages are left out.
 */
export function describeError(error: unknown): unknown {
  if (!types.isNativeError(error)) return { type: typeof error };
  const { code, table, constraint, routine } = error as DatabaseError;
  return {
    type: error.name,
    ...(mayQuoteValues(error) ? {} : { message: error.message }),
    ...defined({ code, table, constraint, routine }),
    stack: framesOf(error),
    ...(error.cause === undefined ? {} : { cause: describeError(error.cause) }),
  };
}

/** The stack without the message that it begins with. */
export function framesOf({ stack }: Pick<Error, 'stack'>): string[] {
  return (stack ?? '')
    .split('\n')
    .filter((line) => /^\s+at /.test(line))
    .map((line) => line.trim());
}

type DatabaseError = Error &
  Partial<Record<'code' | 'severity' | 'table' | 'constraint' | 'routine', unknown>>;

function mayQuoteValues(error: DatabaseError): boolean {
  if (NAMES_WITH_VALUES.has(error.name)) return true;
  const fromDatabase = error.severity !== undefined || error.name === 'QueryFailedError';
  return (
    fromDatabase && !(typeof error.code === 'string' && CLASSES_WITHOUT_VALUES.has(error.code.slice(0, 2)))
  );
}

function defined(members: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined));
}
