/** All names of a patient, in the form of `name_form`, as they are indexed. */
export const NAMES = 'patient_names(p.family_name, p.used_name, p.given_names)';

/**
 * From here on a word is long enough for a slip of the pen to leave something to recognise. The slips of three
 * letters leave fewer trigrams for the index: among 300,000 names it took 0.25 s instead of 0.13.
 */
const TYPO_LENGTH = 3;

/** The LIKE pattern of names with the word `word`. */
export function whole(word: string): string {
  return `% ${literal(word)} %`;
}

/** The LIKE pattern of names with a word that begins with `word`; both in the form of `name_form`. */
export function beginning(word: string): string {
  return `% ${literal(word)}%`;
}

/**
 * The LIKE patterns of names with a word that is one slip away from `word`: a character wrong, missing,
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
  return [...new Set([...variants, `${literal(word)}_`])].map((variant) => `% ${variant} %`);
}

/** `text` as a LIKE pattern that means itself. */
export function literal(text: string): string {
  return text.replaceAll(/[\\%_]/g, '\\$&');
}
