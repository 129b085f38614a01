import type { EntityManager, Repository } from 'typeorm';
import type { Patient } from '../patient.entity.js';
import { beginning, oneSlipAway } from './name-patterns.js';
import { slipsBetween } from './slips.js';
import { wordsOf } from './words.js';

/** From here on a word is long enough to be recognised with two slips in it. */
const LONG = 7;
const MOST_SLIPS = 2;
/** Of the words of all names, the most similar ones are looked at. */
const MOST_CANDIDATES = 2_000;
/** Trigrams that one wrong character takes away: the three that it is in. */
const TRIGRAMS_OF_A_SLIP = 3;

/**
 * For each word of `folded` the words of names that it can mean, the long ones with up to two slips. `undefined` when
 * one of them can mean nothing, or no word is long. It is for words that find nobody otherwise: the trigrams that two
 * slips leave are those of many other words, which is why each candidate is compared afterwards.
 */
export async function similarWords(
  patients: Repository<Patient>,
  folded: string,
): Promise<string[][] | undefined> {
  const words = wordsOf(folded);
  if (!words.some(isLong)) return undefined;
  const meant = await patients.manager.transaction((manager) => meanings(manager, words));
  return meant.every((candidates) => candidates.length > 0) ? meant : undefined;
}

/** The threshold of `%`, by which the index is read, is a setting; it is gone with the transaction. */
async function meanings(manager: EntityManager, words: readonly string[]): Promise<string[][]> {
  const least = Math.min(...words.filter(isLong).map(similarityLeft));
  await manager.query(`SELECT set_config('pg_trgm.similarity_threshold', $1, true)`, [String(least)]);
  const meant: string[][] = [];
  for (const word of words) meant.push(await (isLong(word) ? almost(manager, word) : nearly(manager, word)));
  return meant;
}

async function almost(manager: EntityManager, word: string): Promise<string[]> {
  const candidates = await manager.query<{ word: string }[]>(
    `SELECT DISTINCT word, similarity(word, $1) FROM name_words WHERE word % $1
     ORDER BY similarity(word, $1) DESC LIMIT ${MOST_CANDIDATES}`,
    [word],
  );
  return candidates
    .map((candidate) => candidate.word)
    .filter((known) => slipsBetween(word, known) <= MOST_SLIPS);
}

async function nearly(manager: EntityManager, word: string): Promise<string[]> {
  const found = await manager.query<{ word: string }[]>(
    `SELECT DISTINCT word FROM name_words WHERE word LIKE ANY ($1)`,
    [[beginning(word), ...oneSlipAway(word)]],
  );
  return found.map((candidate) => candidate.word);
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
