type Wording = string | ((text: string) => string);

const numberIn = (text: string) => /-?\d+/.exec(text)?.[0] ?? '';

/** What a check's failure is called where its library's own words are for programmers. */
const WORDS: Readonly<Record<string, Wording | undefined>> = {
  whitelistValidation: 'is not known here',
  unknownValue: 'must be an object',
  nestedValidation: 'must be an object, or a list of objects',
  isInt: 'must be a whole number',
  isNumber: 'must be a number',
  isPositive: 'must be more than 0',
  isBoolean: 'must be true or false',
  isArray: 'must be a list',
  arrayUnique: 'must not hold the same entry twice',
  minLength: (text) => `must have at least ${numberIn(text)} characters`,
  maxLength: (text) => `must have at most ${numberIn(text)} characters`,
  arrayMaxSize: (text) => `must have at most ${numberIn(text)} entries`,
  isEmail: (text) => text.replace(/\ban email\b/, 'an e-mail address'),
  isIn: (text) => text.replace('one of the following values:', 'one of'),
};

/**
 * A failed check in words for people. `text` is what the library says: it names the field, which the path
 * tells already.
 */
export function findingWords(check: string, text: string, field: string): string {
  const words = WORDS[check];
  if (typeof words === 'string') return words;
  const own = withoutName(text, field);
  return words?.(own) ?? own;
}

function withoutName(text: string, field: string): string {
  if (text.startsWith(`${field} `)) return text.slice(field.length + 1);
  return text.replace(`each value in ${field} `, 'each entry ');
}
