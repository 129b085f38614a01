import { until } from '../harness/until.js';
import { Book } from './book.js';
import { drain } from './invariants/drain.js';
import { type Entry, type Evidence, gatherEvidence, type Holding } from './invariants/evidence.js';
import { judge } from './invariants/judge.js';
import { firstSeed, Random } from './random.js';
import { refusePoison } from './run.js';
import { someSucceed } from './scenes.js';
import { Workload } from './workload/workload.js';
import { withSession, type World, worldInProcess } from './world.js';

/** A checker that sees nothing wrong shows nothing: each invariant is shown what it is there to see. */
describe('the checker', () => {
  let world: World;
  let sound: Evidence;

  beforeAll(async () => {
    world = await worldInProcess();
    await refusePoison(world.centralUrl);
    const book = new Book('t1');
    const staff = { clinicians: 3, databaseUsers: 2, restMs: 5, poison: 0.05, impatience: 0 };
    const workload = new Workload(book, world.regions, new Random(firstSeed()), staff);
    await someSucceed(world, book, 150);
    await until(aLaneHoldsSeveral, { what: 'a change waits behind a refused one' });
    await workload.stop();
    await drain(world);
    sound = await gatherEvidence(world, book);
  }, 90_000);
  afterAll(() => world.remove());

  const aLaneHoldsSeveral = () =>
    withSession(world.centralUrl, async (session) => {
      const { rowCount } = await session.query('SELECT FROM quarantine GROUP BY lane HAVING count(*) > 1');
      return rowCount !== 0;
    });
  const at = (holding: 'central' | 'region', change: (holding: Holding) => Partial<Holding>): Evidence => {
    if (holding === 'central') return { ...sound, central: { ...sound.central, ...change(sound.central) } };
    return { ...sound, regions: sound.regions.map((region) => ({ ...region, ...change(region) })) };
  };
  const inJournal = (holding: 'central' | 'region', change: (journal: Entry[]) => unknown) =>
    at(holding, ({ journal }) => {
      const changed = [...journal];
      change(changed);
      return { journal: changed };
    });
  const indexOf = (journal: readonly Entry[], wanted: (entry: Entry) => boolean) => {
    const index = journal.findIndex(wanted);
    if (index < 0) throw new Error('The workload has made no such entry');
    return index;
  };
  const own = ({ origin }: Entry) => origin === 'DKR';
  const isUpdate = ({ op, origin }: Entry) => op === 'update' && origin === 'DKR';
  const ofSeveral = ({ changeSetSize }: Entry) => changeSetSize > 1;
  const acknowledged = (op: string) =>
    sound.book.writes.find((write) => write.op === op && write.outcome === 'acknowledged')!;
  const broken = (evidence: Evidence) => Object.keys(judge(evidence)).map((name) => name.split(' ')[0]);

  it('finds nothing wrong with what is sound', () => {
    expect(judge(sound)).toEqual({});
    expect(sound.central.held.length).toBeGreaterThan(0);
  });

  it('I1: a change that central has lost', () => {
    expect(
      broken(inJournal('central', (journal) => journal.splice(indexOf(journal, isUpdate), 1))),
    ).toContain('I1');
  });

  it('I1: an answered write of which the region itself knows nothing', () => {
    const { id } = sound.book.writes.find(
      (write) => write.outcome === 'acknowledged' && write.through === 'application',
    )!;
    const evidence = inJournal('region', (journal) =>
      journal.splice(
        indexOf(journal, ({ requestId }) => requestId === id),
        1,
      ),
    );
    expect(broken(evidence)).toContain('I1');
  });

  it('I1: a change that is both applied and in quarantine', () => {
    const [held] = sound.central.held;
    expect(broken(inJournal('central', (journal) => journal.push({ ...held!, seq: 1e9 })))).toContain('I1');
  });

  it('I2: a change that was applied twice', () => {
    const evidence = inJournal('central', (journal) => journal.push(journal[indexOf(journal, isUpdate)]!));
    expect(broken(evidence)).toContain('I2');
  });

  it('I3: two changes of a record in the wrong order', () => {
    const evidence = inJournal('central', (journal) => {
      const updatesOf = (id: string) => journal.filter((entry) => isUpdate(entry) && entry.entityId === id);
      const first = indexOf(journal, (entry) => isUpdate(entry) && updatesOf(entry.entityId).length > 1);
      const second = journal.indexOf(updatesOf(journal[first]!.entityId)[1]!);
      [journal[first], journal[second]] = [journal[second]!, journal[first]!];
    });
    expect(broken(evidence)).toContain('I3');
  });

  it('I3: a lane that is held in another order', () => {
    const evidence = at('central', ({ held }) => ({ held: held.toReversed() }));
    const lanes = sound.central.held.map(({ lane }) => lane);
    expect(new Set(lanes).size).toBeLessThan(lanes.length);
    expect(broken(evidence)).toContain('I3');
  });

  it('I4: half a transaction', () => {
    const evidence = inJournal('central', (journal) =>
      journal.splice(
        indexOf(journal, (entry) => own(entry) && ofSeveral(entry)),
        1,
      ),
    );
    expect(broken(evidence)).toContain('I4');
  });

  it('I5: a row that differs, and one that is missing', () => {
    const change = (rows: Holding['rows'], to: 'differ' | 'go') => {
      const lanes = new Set(sound.central.held.map(({ lane }) => `patients ${lane}`));
      const changed = new Map(rows);
      const record = [...rows.keys()].find((key) => key.startsWith('patients ') && !lanes.has(key))!;
      if (to === 'go') changed.delete(record);
      else changed.set(record, { ...rows.get(record)!, phone: '+221770000000' });
      return { rows: changed };
    };
    expect(broken(at('central', ({ rows }) => change(rows, 'differ')))).toContain('I5');
    expect(broken(at('central', ({ rows }) => change(rows, 'go')))).toContain('I5');
  });

  it('I6: who, when, why and what', () => {
    const wrongs: Partial<Entry>[] = [
      { actor: 'somebody' },
      { at: new Date(0) },
      { reason: 'no reason' },
      { after: {} },
      { before: null },
    ];
    for (const wrong of wrongs) {
      const evidence = inJournal('region', (journal) => {
        const index = indexOf(journal, (entry) => isUpdate(entry) && entry.requestId !== null);
        journal[index] = { ...journal[index]!, ...wrong };
      });
      expect(broken(evidence)).toContain('I6');
    }
  });

  it('I7: what was deleted, and what was rolled back', () => {
    const [removed] = acknowledged('remove').records;
    const back = at('region', ({ rows }) => ({
      rows: new Map(rows).set(`patients ${removed}`, { id: removed }),
    }));
    expect(broken(back)).toContain('I7');
    const refused = sound.book.writes.find(
      (write) => write.outcome === 'refused' && write.through === 'database',
    )!;
    const risen = inJournal('central', (journal) => {
      const index = indexOf(journal, isUpdate);
      journal[index] = { ...journal[index]!, after: { notes: refused.id } };
    });
    expect(broken(risen)).toContain('I7');
  });

  it('a refusal without a cause', () => {
    const innocent = sound.central.held.map((entry) => ({ ...entry, after: { notes: 'nothing wrong' } }));
    expect(judge(at('central', () => ({ held: innocent })))).toHaveProperty(['every refusal has its cause']);
  });

  it('a run in which nothing succeeded', () => {
    const writes = sound.book.writes.map((write) => ({ ...write, outcome: 'unknown' as const }));
    expect(broken({ ...sound, book: { ...sound.book, writes } })).toContain('something');
  });
});
