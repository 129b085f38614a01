import { Ledger, seen } from './ledger.js';
import type { Row } from './values.js';

const version = (number: number) => ({ version: number }) as unknown as Row;

it('tells the writes of a patient in the order in which they were made, not in that of their answers', () => {
  const ledger = new Ledger();
  const first = seen('p', version(1), version(2));
  const second = { ...seen('p', version(2), version(3)), moment: first.moment + 1 };
  ledger.note('DKR', [second]);
  ledger.note('DKR', [first]);
  expect(ledger.writesOf('p').map(({ after }) => after)).toEqual([version(2), version(3)]);
});
