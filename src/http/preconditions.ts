import { hash } from 'node:crypto';
import { Problem } from './problem.js';

/** What decides whether a change to one resource may go on. */
export interface Preconditions {
  readonly method: string;
  readonly ifMatch: string | undefined;
  readonly prefer: string | undefined;
  /** Whether the node demands `If-Match` for every change (`MEDLINK_REQUIRE_IF_MATCH`). */
  readonly requireAll: boolean;
}

const ENTITY_TAGS =
  /^\s*(?:W\/)?"[\x21\x23-\x7e\x80-\xff]*"(?:\s*,\s*(?:W\/)?"[\x21\x23-\x7e\x80-\xff]*")*\s*$/;

/**
 * The strong entity tag of a version: `"v3"`. With `content` also of what it holds, `"v3-9d0f3a5c"`: where nodes
 * merge what they changed apart, two of them may give the same version to different content. Give it what the
 * caller sees, since a digest of few possible values tells which one it is.
 */
export function etagOf(version: number, content?: object): string {
  if (content === undefined) return `"v${version}"`;
  const digest = hash('sha256', JSON.stringify(content, inKeyOrder));
  return `"v${version}-${digest.slice(0, 8)}"`;
}

/** The same content may come from a request or from the database, which keeps another order. */
function inKeyOrder(_key: string, value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)));
}

/**
 * Refuses a change made on a stale copy (412), or one that does not say which copy it was made on
 * where that is required (428): always for `PUT`, for all when the client asks for strict handling
 * (RFC 7240) or the node does. A malformed `If-Match` is a 400.
 */
export function checkPreconditions(preconditions: Preconditions, currentEtag: string): void {
  const { ifMatch } = preconditions;
  if (ifMatch === undefined) {
    if (mustMatch(preconditions)) throw required();
    return;
  }
  if (ifMatch.trim() === '*') return;
  if (!ENTITY_TAGS.test(ifMatch)) throw malformed();
  // A weak tag never matches: If-Match compares strongly (RFC 9110, 13.1.1).
  const tags = ifMatch.split(',').map((tag) => tag.trim());
  if (!tags.includes(currentEtag)) throw stale(currentEtag);
}

function mustMatch({ method, prefer, requireAll }: Preconditions): boolean {
  return (
    requireAll ||
    method === 'PUT' ||
    /(?:^|[,;])\s*handling\s*=\s*"?strict"?\s*(?:[,;]|$)/i.test(prefer ?? '')
  );
}

function required(): Problem {
  return new Problem(428, 'precondition-required', 'If-Match is required', {
    detail: 'Read the resource first, and send its ETag in If-Match.',
  });
}

function stale(currentEtag: string): Problem {
  return new Problem(412, 'precondition-failed', 'The resource has changed since it was read', {
    detail: 'Read it again, and repeat the change on what it is now.',
    headers: { etag: currentEtag },
  });
}

function malformed(): Problem {
  return new Problem(400, 'malformed-header', 'If-Match cannot be understood', {
    detail: 'It holds entity tags in double quotes, separated by commas, or a single *.',
  });
}
