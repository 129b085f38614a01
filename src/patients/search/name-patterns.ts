/** All names of a patient in the form of `name_form`, a space before and after each word. */
export const NAMES = 'patient_names(p.family_name, p.used_name, p.given_names)';

/** Their words, as they are indexed. */
export const WORDS = 'patient_words(p.family_name, p.used_name, p.given_names) COLLATE "C"';

/** From here on a word is long enough for a slip of the pen to leave something to recognise. */
const TYPO_LENGTH = 3;

/** SQL: one of a patient's words is like one of the patterns that `patterns`, an SQL expression, gives. */
export function hasWordLike(patterns: string): string {
  return `${WORDS} && ARRAY(SELECT word FROM name_words WHERE word LIKE ANY (${patterns}))`;
}

/** The LIKE pattern of words that begin with `word`; both in the form of `name_form`. */
export function beginning(word: string): string {
  return `${literal(word)}%`;
}

/** The LIKE pattern of names ({@link NAMES}) with a word that begins with `word`. */
export function namesWith(word: string): string {
  return `% ${literal(word)}%`;
}

/**
 * The LIKE patterns of the words that are one slip away from `word`: a character wrong, missing,
 * too many, or two neighbours exchanged. Trigram similarity, which the same index offers, does not do:
 * it puts "ndaiye" at 0.29 of "ndiaye", below many a stranger.
 */
export function oneSlipAway(word: string): string[] {
  const letters = [...word];
  if (letters.length < TYPO_LENGTH) return [];
  const variants = letters.flatMap((letter, at) => {
    const before = literal(letters.slice(0, at).join(''));
    const after = literal(letters.slice(at + 1).join(''));
    const next = letters[at + 1];
    const rest = literal(letters.slice(at + 2).join(''));
    return [
      `${before}_${after}`,
      `${before}${after}`,
      `${before}_${literal(letter)}${after}`,
      ...(next === undefined ? [] : [`${before}${literal(next + letter)}${rest}`]),
    ];
  });
  return [...new Set([...variants, `${literal(word)}_`])];
}

/** `text` as a LIKE pattern that means itself. */
export function literal(text: string): string {
  return text.replaceAll(/[\\%_]/g, '\\$&');
}
