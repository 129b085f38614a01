import type { Condition } from './condition.js';
import { medicalIdGuesses } from './medical-id-guesses.js';
import { beginning, hasWordLike, literal, NAMES, namesWith, oneSlipAway, WORDS } from './name-patterns.js';

/** Whom the words of `q` mean. `relevance` is an SQL expression that is greater for better matches. */
export interface WordMatch {
  readonly match: Condition;
  readonly relevance: string;
}

/** The words of a text in the form of `name_form`. */
export function wordsOf(folded: string): string[] {
  return folded.split(' ').filter((word) => word !== '');
}

/**
 * Every word somewhere in the names, or the whole text as a medical id. Relevance: 3 for whole words and a
 * whole id, 2 for beginnings, 1 for slips.
 */
export function matchWords(q: string, folded: string): WordMatch {
  const words = wordsOf(folded);
  const loose = words.map((word) => [beginning(word), ...oneSlipAway(word)]);
  const inNames = loose.map((_, index) => hasWordLike(`CAST(:qWord${index} AS text[])`)).join(' AND ');
  const ids = idsIn(q);
  // One LIKE each: a B-tree looks up the beginning that one pattern has, but not those of an array.
  const isId = ids.map((_, index) => `p.medical_id LIKE :qId${index}`);
  const any = [...(words.length > 0 ? [`(${inNames})`] : []), ...isId, 'p.medical_id = ANY (:qGuesses)'];
  const parameters = {
    ...Object.fromEntries(loose.map((patterns, index) => [`qWord${index}`, patterns])),
    ...Object.fromEntries(ids.map((id, index) => [`qId${index}`, `${literal(id)}%`])),
    qIds: ids,
    qWholes: words,
    qBeginnings: words.map(namesWith),
    qGuesses: medicalIdGuesses(q),
  };
  return {
    match: { sql: `(${any.join(' OR ')})`, parameters },
    relevance: relevanceOf(isId, { inNames: words.length > 0 }),
  };
}

/** Those who have a word of each of `meant`, which were found by two slips. Nobody is found who is more relevant. */
export function matchSimilar(meant: readonly (readonly string[])[]): WordMatch {
  const sql = meant.map((_, index) => `${WORDS} && CAST(:qMeant${index} AS text[])`).join(' AND ');
  const parameters = Object.fromEntries(meant.map((words, index) => [`qMeant${index}`, words]));
  return { match: { sql, parameters }, relevance: '0' };
}

function relevanceOf(isId: readonly string[], { inNames }: { inNames: boolean }): string {
  const wholes = [...(inNames ? [`${WORDS} @> CAST(:qWholes AS text[])`] : []), 'p.medical_id = ANY (:qIds)'];
  const beginnings = [...(inNames ? [`${NAMES} LIKE ALL (:qBeginnings)`] : []), ...isId];
  const second = beginnings.length > 0 ? `WHEN ${beginnings.join(' OR ')} THEN 2` : '';
  return `CASE WHEN ${wholes.join(' OR ')} THEN 3 ${second} ELSE 1 END`;
}

/** Medical ids are stored as given, and generated in capitals. One letter of a name is no medical id. */
function idsIn(q: string): string[] {
  const text = q.trim();
  if (!/^[A-Za-z0-9._/-]{3,64}$/.test(text)) return [];
  return [...new Set([text, text.toUpperCase()])];
}
