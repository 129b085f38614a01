import { checkCharacter } from './check-character.js';
import { Scramble } from './scramble.js';

/** Crockford's base 32: no I, L, O, U, so that a number read aloud or from paper comes back right. */
const DIGITS = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';

const scrambles = new Map<string, Scramble>();

/**
 * The `number`th medical id of a region: its code, eight base-32 characters in two groups, and a check
 * character over the code and the eight, like `DKR-7H2K-9QXM-P`. `number` is an integer from 0 to
 * 2^40 - 1; different numbers, and different regions, never give the same id.
 */
export function medicalIdOf(region: string, number: number): string {
  const digits = inBase32(scrambleOf(region).apply(number));
  return `${region}-${digits.slice(0, 4)}-${digits.slice(4)}-${checkCharacter(region + digits)}`;
}

/** The number that {@link medicalIdOf} made `id` of; `undefined` when it is not of that form and region. */
export function numberOf(region: string, id: string): number | undefined {
  const [code, left, right, check, ...rest] = id.split('-');
  const digits = `${left ?? ''}${right ?? ''}`;
  if (code !== region || rest.length > 0 || digits.length !== 8) return undefined;
  const values = [...digits].map((digit) => DIGITS.indexOf(digit));
  if (values.includes(-1) || check !== checkCharacter(region + digits)) return undefined;
  return scrambleOf(region).invert(values.reduce((number, value) => number * 32 + value, 0));
}

function scrambleOf(region: string): Scramble {
  const known = scrambles.get(region);
  if (known) return known;
  const scramble = new Scramble(region);
  scrambles.set(region, scramble);
  return scramble;
}

function inBase32(number: number): string {
  let digits = '';
  for (let rest = number; digits.length < 8; rest = Math.floor(rest / 32))
    digits = DIGITS.charAt(rest % 32) + digits;
  return digits;
}
