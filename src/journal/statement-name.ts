import { createHash } from 'node:crypto';

/** PostgreSQL keeps no more of a name, in bytes. */
const LONGEST = 63;

/**
 * A name for a prepared statement that differs with `parts` (tables, for most). Longer names would be cut by
 * PostgreSQL, so that two statements could be taken for one: then a digest stands in their place.
 */
export function statementName(purpose: string, parts: readonly string[]): string {
  const name = [purpose, ...parts].join(' ');
  if (Buffer.byteLength(name) <= LONGEST) return name;
  return `${purpose} ${createHash('sha256').update(name).digest('hex').slice(0, 32)}`;
}
