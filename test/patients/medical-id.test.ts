import fc from 'fast-check';
import { checkCharacter } from '../../src/patients/medical-id/check-character.js';
import { medicalIdOf } from '../../src/patients/medical-id/medical-id.js';
import { Scramble, SPACE } from '../../src/patients/medical-id/scramble.js';

const numbers = fc.integer({ min: 0, max: SPACE - 1 });

describe('the check character (ISO 7064 MOD 37,36)', () => {
  it.each([
    ['A12425GABC1234002', 'M', 'the example of the Global Release Identifier standard'],
    ['00000000C36D002B', 'K', 'an ISAN, root and episode'],
    ['00000000C36D002B00000000', 'E', 'the same ISAN with its version'],
  ])('of %s is %s: %s', (text, expected) => {
    expect(checkCharacter(text)).toBe(expected);
  });

  it('finds every single wrong character', () => {
    const id = medicalIdOf('DKR', 123_456_789).replaceAll('-', '');
    for (let position = 0; position < id.length - 1; position++) {
      for (const wrong of '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ'.replace(id.charAt(position), '')) {
        const text = id.slice(0, position) + wrong + id.slice(position + 1, -1);
        expect(checkCharacter(text)).not.toBe(id.at(-1));
      }
    }
  });
});

describe('the scramble', () => {
  it('has an inverse for every number', () => {
    const scramble = new Scramble('DKR');
    fc.assert(fc.property(numbers, (number) => scramble.invert(scramble.apply(number)) === number));
  });

  it('gives ten million numbers in a row no number twice', () => {
    const scramble = new Scramble('DKR');
    const seen = new Float64Array(10_000_000);
    for (let number = 0; number < seen.length; number++) seen[number] = scramble.apply(number);
    seen.sort();
    let repeats = 0;
    for (let index = 1; index < seen.length; index++) if (seen[index] === seen[index - 1]) repeats++;
    expect(repeats).toBe(0);
    expect(seen[0]).toBeGreaterThanOrEqual(0);
    expect(seen.at(-1)).toBeLessThan(SPACE);
  });

  it('shows neither the order nor the count', () => {
    const scramble = new Scramble('DKR');
    const first = Array.from({ length: 1000 }, (_, number) => scramble.apply(number));
    const ascending = first.filter((value, index) => index > 0 && value > first[index - 1]!).length;
    expect(ascending).toBeGreaterThan(400);
    expect(ascending).toBeLessThan(600);
    expect(Math.max(...first)).toBeGreaterThan(SPACE * 0.95);
  });

  it('differs from region to region', () => {
    const [dakar, thies] = [new Scramble('DKR'), new Scramble('THS')];
    const same = Array.from({ length: 1000 }, (_, number) => number).filter(
      (number) => dakar.apply(number) === thies.apply(number),
    );
    expect(same).toEqual([]);
  });
});

describe('a medical id', () => {
  it('reads as region, two groups of four and a check character', () => {
    fc.assert(
      fc.property(numbers, fc.constantFrom('DKR', 'TH', 'ZIGU'), (number, region) => {
        const id = medicalIdOf(region, number);
        expect(id).toMatch(/^[A-Z]{2,4}-[0-9A-HJKMNP-TV-Z]{4}-[0-9A-HJKMNP-TV-Z]{4}-[0-9A-Z]$/);
        expect(id.at(-1)).toBe(checkCharacter(id.slice(0, -1).replaceAll('-', '')));
      }),
    );
  });
});
