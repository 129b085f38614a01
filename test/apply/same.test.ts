import fc from 'fast-check';
import { sameText } from '../../src/journal/same-text.js';
import { sameList, samePhone, samePlace } from '../../src/patients/fields/same.js';

const json = fc.jsonValue({ maxDepth: 2 }).filter((value) => !JSON.stringify(value).includes('-0'));
const latitude = fc.double({ min: -85, max: 85, noNaN: true });
const longitude = fc.double({ min: -180, max: 180, noNaN: true });
const place = fc.record({ latitude, longitude });
const digits = fc.stringMatching(/^[1-9][0-9]{7,13}$/);
/** Of arc, on the sphere that a metre is measured on. */
const DEGREES_PER_METRE = 360 / (2 * Math.PI * 6_371_000);

describe.each([
  ['texts', sameText, json],
  ['phone numbers', samePhone, fc.oneof(json, digits)],
  ['lists', sameList, fc.oneof(json, fc.array(json))],
  ['places', samePlace, fc.oneof(json, place)],
] as const)('sameness of %s', (_, same, values: fc.Arbitrary<unknown>) => {
  it('holds of everything and itself, and both ways', () => {
    fc.assert(
      fc.property(values, values, (one, other) => {
        expect(same(one, one)).toBe(true);
        expect(same(one, other)).toBe(same(other, one));
      }),
    );
  });

  it('does not take a value for none', () => {
    fc.assert(
      fc.property(values, (value) => {
        fc.pre(value !== null);
        expect(same(value, null)).toBe(false);
      }),
    );
  });
});

describe('what means the same', () => {
  it('is a text in either form of Unicode, with space around it, also inside a list or an object', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), (text) => {
        const decomposed = ` ${text.normalize('NFD')}\t`;
        expect(sameText(text, decomposed)).toBe(true);
        expect(sameText({ city: [text] }, { city: [decomposed], line: null })).toBe(true);
      }),
    );
    expect(sameText('Séne', 'Sène')).toBe(false);
  });

  it('is a phone number as it is dialled', () => {
    fc.assert(
      fc.property(digits, fc.constantFrom(' ', '-', '.', ' / '), (number, between) => {
        const spaced = [...number].join(between);
        expect(samePhone(`+${number}`, `+${spaced}`)).toBe(true);
        expect(samePhone(`+${number}`, `00${spaced}`)).toBe(true);
        expect(samePhone(`+${number}`, `+${number}0`)).toBe(false);
      }),
    );
  });

  it('is a list in any order', () => {
    const shuffled = fc
      .array(fc.string(), { minLength: 1 })
      .chain((items) =>
        fc.tuple(fc.constant(items), fc.shuffledSubarray(items, { minLength: items.length })),
      );
    fc.assert(
      fc.property(shuffled, ([items, other]) => {
        expect(sameList(items, other)).toBe(true);
        expect(sameList(items, [...other, `${items.join()}!`])).toBe(false);
      }),
    );
  });

  it('is a place within 50 m, in whatever direction, also across the date line', () => {
    fc.assert(
      fc.property(place, fc.double({ min: 0, max: 2 * Math.PI, noNaN: true }), (from, bearing) => {
        expect(samePlace(from, moved(from, bearing, 49))).toBe(true);
        expect(samePlace(from, moved(from, bearing, 52))).toBe(false);
      }),
    );
    expect(samePlace({ latitude: 0, longitude: 180 }, { latitude: 0, longitude: -179.9999 })).toBe(true);
  });
});

function moved(from: { latitude: number; longitude: number }, bearing: number, metres: number) {
  const degrees = metres * DEGREES_PER_METRE;
  return {
    latitude: from.latitude + Math.cos(bearing) * degrees,
    longitude: from.longitude + (Math.sin(bearing) * degrees) / Math.cos((from.latitude * Math.PI) / 180),
  };
}
