const ALPHABET = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ';
const RADIX = ALPHABET.length;
const MODULUS = RADIX + 1;

/**
 * The check character of ISO 7064 MOD 37,36 (the hybrid system, "recursive method") for `text`, which
 * holds digits and capital letters alone. It finds every single wrong character and nearly every
 * exchange of two neighbours.
 */
export function checkCharacter(text: string): string {
  let product = RADIX;
  for (const character of text) {
    const value = ALPHABET.indexOf(character);
    if (value < 0) throw new RangeError('A check character covers digits and capital letters only');
    product = (((product + value) % RADIX || RADIX) * 2) % MODULUS;
  }
  return ALPHABET.charAt((MODULUS - product) % RADIX);
}
