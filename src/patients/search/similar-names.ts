import type { EntityManager, Repository } from 'typeorm';
import { isKnownIn, PATIENT_P } from '../../hosts/known-in-region.js';
import type { Patient } from '../patient.entity.js';
import { beginning, NAMES, oneSlipAway } from './name-patterns.js';
import { slipsBetween } from './slips.js';
import { wordsOf } from './words.js';

/** From here on a word is long enough to be recognised with two slips in it. */
const LONG = 7;
const MOST_SLIPS = 2;
/** The most similar ones are looked at; among 300,000 names they are found in 0.15 to 0.5 s. */
const MOST_CANDIDATES = 2_000;
/** Trigrams that one wrong character takes away: the three that it is in. */
const TRIGRAMS_OF_A_SLIP = 3;

interface Candidate {
  readonly id: string;
  readonly names: string;
}

/**
 * The ids of the patients in whose names every word of `folded` is, the long ones with up to two slips;
 * none when no word is long, and at most {@link MOST_CANDIDATES}. It is for words that find nobody otherwise:
 * the trigrams that two slips leave are those of many other names, which is why each candidate's words are
 * compared afterwards.
 */
export async function similarlyNamed(
  patients: Repository<Patient>,
  folded: string,
  { region }: { region?: string },
): Promise<string[]> {
  const words = wordsOf(folded);
  const long = words.filter(isLong);
  if (long.length === 0) return [];
  const candidates = await patients.manager.transaction((manager) => candidatesFor(manager, words, region));
  return candidates.filter(({ names }) => holdsAll(names, long)).map(({ id }) => id);
}

/** The threshold of `%>`, by which the index is read, is a setting; it is gone with the transaction. */
async function candidatesFor(
  manager: EntityManager,
  words: readonly string[],
  region: string | undefined,
): Promise<Candidate[]> {
  const long = words.filter(isLong);
  const short = words.filter((word) => !isLong(word)).map((word) => [beginning(word), ...oneSlipAway(word)]);
  const parameters = [...long, ...short];
  const similar = long.map((_, at) => `${NAMES} %> $${at + 1}`);
  const like = short.map((_, at) => `${NAMES} LIKE ANY ($${long.length + at + 1})`);
  const caller = `$${parameters.length + 1}`;
  const where = [...similar, ...like, `(${caller}::text IS NULL OR ${isKnownIn(caller, PATIENT_P)})`];
  await manager.query(`SELECT set_config('pg_trgm.word_similarity_threshold', $1, true)`, [
    String(Math.min(...long.map(similarityLeft))),
  ]);
  return manager.query<Candidate[]>(
    `SELECT p.id, ${NAMES} AS names FROM patients p WHERE ${where.join(' AND ')}
     ORDER BY word_similarity($1, ${NAMES}) DESC LIMIT ${MOST_CANDIDATES}`,
    [...parameters, region ?? null],
  );
}

/** The similarity of a word, whose trigrams are one more than its letters, to itself with two wrong characters. */
function similarityLeft(word: string): number {
  const trigrams = [...word].length + 1;
  const left = trigrams - MOST_SLIPS * TRIGRAMS_OF_A_SLIP;
  return left / (2 * trigrams - left);
}

function isLong(word: string): boolean {
  return [...word].length >= LONG;
}

function holdsAll(names: string, words: readonly string[]): boolean {
  const parts = wordsOf(names);
  return words.every((word) => parts.some((part) => slipsBetween(word, part) <= MOST_SLIPS));
}
