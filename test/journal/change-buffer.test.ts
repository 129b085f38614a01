import { ChangeBuffer } from '../../src/journal/change-buffer.js';

describe('ChangeBuffer', () => {
  const insertOf = (id: string) => ({ table: 'patients', id, op: 'insert' }) as const;

  it('a change belongs to the level whose statement made it, whichever is on top when that is told', () => {
    const buffer = new ChangeBuffer();
    buffer.begin();
    buffer.announce('insert', 'patients');
    expect(buffer.send('insert', 'patients', 1)).toBe(true);
    buffer.begin();
    buffer.describe(insertOf('1'), 'insert');
    buffer.rollback();
    expect(buffer.changes).toEqual([insertOf('1')]);
    expect(buffer.unsettled).toBeUndefined();
  });

  it('what is announced in a savepoint may be sent when it has been released, not when it was rolled back', () => {
    const buffer = new ChangeBuffer();
    buffer.begin();
    buffer.begin();
    buffer.announce('update', 'patients');
    buffer.release();
    expect(buffer.send('update', 'patients', 1)).toBe(true);
    expect(buffer.unsettled).toBe('patients');
    buffer.begin();
    buffer.announce('update', 'patients');
    buffer.rollback();
    expect(buffer.send('update', 'patients', 1)).toBe(false);
  });

  it('what is told when the transaction is over is forgotten', () => {
    const buffer = new ChangeBuffer();
    buffer.begin();
    buffer.rollback();
    buffer.describe(insertOf('1'), 'insert');
    buffer.begin();
    expect(buffer.changes).toEqual([]);
  });
});
