import { Problem } from '../../http/problem.js';
import { COMMON_PASSWORDS } from './common-passwords.js';

export const PASSWORD_MIN = 12;
export const PASSWORD_MAX = 128;

/** What a password may not be made of alone, digits and signs put aside. */
const GUESSABLE_WORDS: readonly string[] = [
  'admin',
  'administrateur',
  'administrator',
  'azerty',
  'azertyuiop',
  'bienvenue',
  'bonjour',
  'changeme',
  'medlink',
  'motdepasse',
  'password',
  'qwerty',
  'qwertyuiop',
  'root',
  'secret',
  'welcome',
];

/** Fewer different characters than this is a pattern, whatever the length. */
const MIN_DIFFERENT_CHARACTERS = 5;

/**
 * Why `password` cannot be chosen, or `undefined` when it can. Length and guessability count, never
 * composition (ASVS 5.0, V6.2): no rule asks for a digit or a sign.
 */
export function passwordProblem(password: string, email: string): string | undefined {
  const length = [...password].length;
  if (length < PASSWORD_MIN) return `must have at least ${PASSWORD_MIN} characters`;
  if (length > PASSWORD_MAX) return `must have at most ${PASSWORD_MAX} characters`;
  if (isGuessable(password.toLowerCase(), email.toLowerCase())) return 'is too easy to guess: choose another';
  return undefined;
}

/** Throws a 422 {@link Problem} that blames `field` when `password` cannot be chosen. */
export function refuseBadPassword(password: string, email: string, field: string): void {
  const message = passwordProblem(password, email);
  if (message === undefined) return;
  throw new Problem(422, 'invalid-input', 'Some values cannot be accepted', {
    errors: [{ path: field, message }],
  });
}

function isGuessable(password: string, email: string): boolean {
  if (COMMON_PASSWORDS.has(password) || password === email) return true;
  if (new Set(password).size < MIN_DIFFERENT_CHARACTERS) return true;
  const word = lettersOf(password);
  return GUESSABLE_WORDS.includes(word) || (word.length > 0 && word === lettersOf(email.split('@')[0]!));
}

function lettersOf(text: string): string {
  return text.replace(/[^\p{L}]/gu, '');
}
