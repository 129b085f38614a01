import { jest } from '@jest/globals';
import fc from 'fast-check';
import { foldChanges, type DescribedChange } from '../../src/journal/described-change.js';
import { statementName } from '../../src/journal/statement-name.js';
import { Backoff } from '../../src/relay/backoff.js';
import { ChunkSize } from '../../src/relay/chunk-size.js';
import { GapWatch } from '../../src/relay/gap-watch.js';
import { UplinkState } from '../../src/relay/uplink-state.js';
import { WakeLatch } from '../../src/relay/wake-latch.js';
import { drainSeconds } from '../../src/sync/sync-status.reader.js';

describe('GapWatch', () => {
  it('a gap is dead once all who held the sequence when it was first seen have ended', () => {
    const watch = new GapWatch();
    expect(watch.look(8, ['3/11', '4/7'])).toBe(false);
    expect(watch.look(8, ['4/7', '5/1'])).toBe(false);
    expect(watch.deadThrough).toBe(0);
    expect(watch.look(8, ['5/1', '3/12'])).toBe(true);
    expect(watch.deadThrough).toBe(7);
  });

  it('a gap that nobody can fill any more is dead at once; another gap starts its own watch', () => {
    const watch = new GapWatch();
    expect(watch.look(8, [])).toBe(true);
    expect(watch.look(12, ['3/11'])).toBe(false);
    expect(watch.look(10, ['5/1'])).toBe(false);
    expect(watch.look(10, ['3/11'])).toBe(true);
    expect(watch.deadThrough).toBe(9);
  });
});

describe('ChunkSize', () => {
  it('does not shrink for ever where it is not the entries that take long', () => {
    const size = new ChunkSize(500);
    for (let chunk = 0; chunk < 20; chunk++) size.delivered(size.entries, 5_000);
    expect(size.entries).toBe(100);
  });

  it('shrinks when chunks take long or fail, down to one entry, and grows again when they are quick', () => {
    const size = new ChunkSize(500);
    size.delivered(250, 4_000);
    expect(size.entries).toBe(125);
    size.failed();
    expect(size.entries).toBe(31);
    for (let failure = 0; failure < 10; failure++) size.failed();
    expect(size.entries).toBe(1);
    for (let chunk = 0; chunk < 20; chunk++) size.delivered(size.entries, 10);
    expect(size.entries).toBe(500);
  });

  it('learns nothing from a chunk that was not full', () => {
    const size = new ChunkSize(500);
    size.delivered(3, 5_000);
    expect(size.entries).toBe(250);
  });

  it('begins small: a slow link must get the first one too', () => {
    const size = new ChunkSize(2_000);
    expect(size.entries).toBe(250);
    size.delivered(250, 100);
    expect(size.entries).toBe(500);
  });
});

describe('WakeLatch', () => {
  const never = new AbortController().signal;

  it('keeps a wake-up that came before the wait', async () => {
    const latch = new WakeLatch();
    latch.raise();
    await latch.wait(60_000, never);
  });

  it('ends the wait when it is raised, and when it is told to stop', async () => {
    const latch = new WakeLatch();
    const woken = latch.wait(60_000, never);
    latch.raise();
    await woken;
    latch.reset();
    const stop = new AbortController();
    const stopped = latch.wait(60_000, stop.signal);
    stop.abort();
    await stopped;
  });
});

describe('Backoff', () => {
  it('doubles to five seconds at most, never below half of its step, and starts again after a success', () => {
    const longest = new Backoff(() => 0.999999);
    const shortest = new Backoff(() => 0);
    const waits = Array.from({ length: 12 }, () => [shortest.next(), longest.next()] as const);
    expect(waits[0]).toEqual([50, expect.closeTo(100, 1)]);
    expect(waits.at(-1)).toEqual([2500, expect.closeTo(5000, 1)]);
    longest.reset();
    expect(longest.next()).toBeLessThanOrEqual(100);
  });
});

describe('foldChanges', () => {
  type Row = number | undefined;
  const steps = fc.array(fc.record({ row: fc.integer({ min: 0, max: 3 }), remove: fc.boolean() }), {
    maxLength: 20,
  });

  it('says of each row what the whole transaction did to it, in whatever steps it was done', () => {
    fc.assert(
      fc.property(fc.array(fc.boolean(), { minLength: 4, maxLength: 4 }), steps, (present, script) => {
        const start: Row[] = present.map((is) => (is ? 0 : undefined));
        const rows = [...start];
        const changes: DescribedChange[] = [];
        script.forEach(({ row, remove }, step) => {
          const [table, id, before] = ['t', String(row), rows[row]];
          if (before === undefined) changes.push({ table, id, op: 'insert' });
          else changes.push({ table, id, op: remove ? 'remove' : 'update', before: String(before) });
          rows[row] = before !== undefined && remove ? undefined : step + 1;
        });
        const folded = new Map(foldChanges(changes).map((change) => [Number(change.id), change]));
        rows.forEach((end, row) => {
          const from = start[row];
          const change = folded.get(row);
          // What came and went leaves nothing; whether it did is looked at again when the journal is written.
          if (end === undefined && from === undefined) expect(change?.op ?? 'gone').toBe('gone');
          else if (from === end) expect(change).toBeUndefined();
          else if (from === undefined) expect(change?.op).toBe('insert');
          else
            expect(change).toMatchObject({
              op: end === undefined ? 'remove' : 'update',
              before: String(from),
            });
        });
      }),
    );
  });
});

describe('statementName', () => {
  it('tells the tables, and stays different and short enough for PostgreSQL when they are many', () => {
    expect(statementName('apply-chunk', ['hosts', 'patients'])).toBe('apply-chunk hosts patients');
    const many = Array.from({ length: 8 }, (_, nth) => `a_table_with_a_name_${nth}`);
    const [all, fewer] = [many, many.slice(0, 7)].map((tables) => statementName('apply-chunk', tables));
    expect(all).not.toBe(fewer);
    for (const name of [all!, fewer!]) expect(Buffer.byteLength(name)).toBeLessThanOrEqual(63);
  });
});

describe('UplinkState', () => {
  it('tells a rate of the last ten seconds, and of fewer when the link has only just come up', () => {
    let now = 60_000;
    const clock = jest.spyOn(performance, 'now').mockImplementation(() => now);
    try {
      const state = new UplinkState();
      state.become('up');
      now += 2_000;
      state.deliver(3_000);
      expect(state.rate).toBe(1_500);
      now += 8_000;
      state.deliver(2_000);
      expect(state.rate).toBe(500);
      now += 9_000;
      expect(state.rate).toBe(200);
    } finally {
      clock.mockRestore();
    }
  });
});

describe('drainSeconds', () => {
  it('is what is pending at the rate that it moves; nothing pending is 0, nothing moving is unknown', () => {
    expect(drainSeconds(1_000, 300)).toBe(4);
    expect(drainSeconds(0, 0)).toBe(0);
    expect(drainSeconds(1_000, 0)).toBeNull();
  });
});
