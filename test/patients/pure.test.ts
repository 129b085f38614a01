import fc from 'fast-check';
import { isJsonObject, mergePatch } from '../../src/patients/merge-patch.js';
import { medicalIdOf } from '../../src/patients/medical-id/medical-id.js';
import { medicalIdGuesses } from '../../src/patients/search/medical-id-guesses.js';
import { beginning, namesWith, oneSlipAway } from '../../src/patients/search/name-patterns.js';
import { boxAround } from '../../src/patients/search/near.js';
import { slipsBetween } from '../../src/patients/search/slips.js';

describe('a JSON merge patch', () => {
  // The examples of RFC 7396, appendix A.
  it.each([
    [{ a: 'b' }, { a: 'c' }, { a: 'c' }],
    [{ a: 'b' }, { b: 'c' }, { a: 'b', b: 'c' }],
    [{ a: 'b' }, { a: null }, {}],
    [{ a: 'b', b: 'c' }, { a: null }, { b: 'c' }],
    [{ a: ['b'] }, { a: 'c' }, { a: 'c' }],
    [{ a: 'c' }, { a: ['b'] }, { a: ['b'] }],
    [{ a: { b: 'c' } }, { a: { b: 'd', c: null } }, { a: { b: 'd' } }],
    [{ a: [{ b: 'c' }] }, { a: [1] }, { a: [1] }],
    [
      ['a', 'b'],
      ['c', 'd'],
      ['c', 'd'],
    ],
    [{ a: 'b' }, ['c'], ['c']],
    [{ a: 'foo' }, null, null],
    [{ a: 'foo' }, 'bar', 'bar'],
    [{ e: null }, { a: 1 }, { e: null, a: 1 }],
    [[1, 2], { a: 'b', c: null }, { a: 'b' }],
    [{}, { a: { bb: { ccc: null } } }, { a: { bb: {} } }],
  ])('of %j with %j is %j', (target, patch, expected) => {
    expect(mergePatch(target, patch)).toEqual(expected);
  });

  it('applied twice is the same as once, and leaves no null that it names', () => {
    const objects = fc.dictionary(fc.constantFrom('a', 'b', 'c'), fc.jsonValue());
    fc.assert(
      fc.property(objects, objects, (target, patch) => {
        const before = JSON.stringify(target);
        const once = mergePatch(target, patch);
        expect(mergePatch(once, patch)).toEqual(once);
        expect(JSON.stringify(target)).toBe(before);
        for (const [member, value] of Object.entries(patch)) {
          if (value === null) expect(once).not.toHaveProperty([member]);
          else if (!isJsonObject(value)) expect((once as Record<string, unknown>)[member]).toEqual(value);
        }
      }),
    );
  });
});

describe('the slips between two words', () => {
  it.each([
    ['aissatou', 'aissatou', 0],
    ['aissatou', 'aisatou', 1],
    ['aissatou', 'asisatou', 1],
    ['aissatou', 'eissattou', 2],
    ['abdoulaye', 'abdulaiye', 2],
    ['ibrahim', 'moussa', 7],
    ['', 'awa', 3],
    ['𝒜wa', 'awa', 1],
  ])('of %s and %s are %i', (a, b, slips) => {
    expect([slipsBetween(a, b), slipsBetween(b, a)]).toEqual([slips, slips]);
  });
});

/** LIKE, as PostgreSQL means it. */
function like(text: string, pattern: string): boolean {
  const source = pattern.replaceAll(/\\(.)|[%_]|[^%_\\]/gu, (part, escaped?: string) => {
    if (part === '%') return '.*';
    if (part === '_') return '.';
    return (escaped ?? part).replaceAll(/[.*+?^${}()|[\]\\/]/g, '\\$&');
  });
  return new RegExp(`^${source}$`, 'su').test(text);
}

const words = fc.string({ unit: fc.constantFrom(...'abcdé%_\\م'), minLength: 4, maxLength: 9 });

/** `text` with one slip at `at`. */
const slips = (text: string, at: number, letter: string) => [
  text.slice(0, at) + letter + text.slice(at + 1),
  text.slice(0, at) + text.slice(at + 1),
  text.slice(0, at) + letter + text.slice(at),
  text.slice(0, at) + text.charAt(at + 1) + text.charAt(at) + text.slice(at + 2),
];

describe('the patterns of a word', () => {
  it('match every name that is one slip away', () => {
    fc.assert(
      fc.property(words, fc.nat(8), fc.constantFrom(...'xyz'), (word, position, letter) => {
        const patterns = oneSlipAway(word);
        for (const name of slips(word, position % word.length, letter)) {
          expect(patterns.some((pattern) => like(name, pattern))).toBe(true);
        }
      }),
    );
  });

  it('match no name that is far away', () => {
    for (const name of ['diallo', 'diouf', 'diagne', 'sow', 'dioppes', 'adiop i'])
      expect(oneSlipAway('diop').filter((pattern) => like(name, pattern))).toEqual([]);
  });

  it('leave short words alone', () => {
    expect(oneSlipAway('ba')).toEqual([]);
    expect(like('sowe', beginning('sow'))).toBe(true);
    expect(like('asow', beginning('sow'))).toBe(false);
    expect(like(' sowe awa ', namesWith('sow'))).toBe(true);
    expect(like(' asow ', namesWith('sow'))).toBe(false);
  });
});

describe('the guesses at a medical id', () => {
  it('hold the id behind every single slip, and few others', () => {
    const id = medicalIdOf('DKR', 4711);
    const core = id.replaceAll('-', '');
    for (let at = 0; at < core.length; at++) {
      for (const text of slips(core, at, '7')) {
        const guesses = medicalIdGuesses(text);
        expect(guesses).toContain(id);
        expect(guesses.length).toBeLessThan(80);
      }
    }
  });

  it('are none for a name or another kind of id', () => {
    expect(medicalIdGuesses("N'Diaye")).toEqual([]);
    expect(medicalIdGuesses('HALD/2026-001-and-more')).toEqual([]);
  });
});

describe('the box around a circle', () => {
  it('holds every point of the circle', () => {
    const coordinates = [
      fc.double({ min: -89, max: 89, noNaN: true }),
      fc.double({ min: -179, max: 179, noNaN: true }),
    ] as const;
    fc.assert(
      fc.property(
        ...coordinates,
        fc.double({ min: 0.1, max: 900, noNaN: true }),
        fc.nat(359),
        (latitude, longitude, km, bearing) => {
          const box = boxAround({ latitude, longitude }, km);
          const rad = Math.PI / 180;
          const arc = km / 6371.0088;
          const lat = Math.asin(
            Math.sin(latitude * rad) * Math.cos(arc) +
              Math.cos(latitude * rad) * Math.sin(arc) * Math.cos(bearing * rad),
          );
          const east = Math.atan2(
            Math.sin(bearing * rad) * Math.sin(arc) * Math.cos(latitude * rad),
            Math.cos(arc) - Math.sin(latitude * rad) * Math.sin(lat),
          );
          const slack = 1e-6;
          expect(lat / rad).toBeGreaterThanOrEqual(box.south - slack);
          expect(lat / rad).toBeLessThanOrEqual(box.north + slack);
          if (box.west === undefined || box.east === undefined) return;
          expect(longitude + east / rad).toBeGreaterThanOrEqual(box.west - slack);
          expect(longitude + east / rad).toBeLessThanOrEqual(box.east + slack);
        },
      ),
    );
  });
});
