import type { EntityManager, EntitySubscriberInterface } from 'typeorm';
import { CaptureSubscriber } from '../../src/journal/capture.subscriber.js';
import { CommitRolledBackError } from '../../src/journal/commit-rolled-back.error.js';
import { JournalFlushError } from '../../src/journal/flush-journal.js';
import { UndescribableWriteError } from '../../src/journal/undescribable-write.error.js';
import { Patient } from '../../src/patients/patient.entity.js';
import { aPatient, openCapturedDatabase, type CapturedDatabase } from './captured-database.js';

/**
 * Transactions whose events do not tell what happened: savepoints, triggers, broken subscribers, writes that
 * nobody awaited. The journal says what the tables say, or nothing commits.
 */
/** Texts of the statements that a session of the driver has prepared, by name. */
interface DriverConnection {
  readonly parsedStatements: Record<string, string>;
}

describe('capture when events and rows part', () => {
  let db: CapturedDatabase;
  beforeAll(async () => {
    db = await openCapturedDatabase();
  });
  afterAll(() => db.close());
  beforeEach(() => db.clear());

  /** Beside the capture and before it, as a module's own subscriber would be. */
  const withSubscriber = async (subscriber: EntitySubscriberInterface, work: () => Promise<unknown>) => {
    const { subscribers } = db.source;
    const capture = subscribers.findIndex((other) => other instanceof CaptureSubscriber);
    subscribers.splice(capture, 0, subscriber);
    try {
      await work();
    } finally {
      subscribers.splice(subscribers.indexOf(subscriber), 1);
    }
  };

  /** A trigger of this database lets nothing of the kind happen, and says nothing. */
  const preventing = async (event: 'INSERT' | 'DELETE', work: () => Promise<unknown>) => {
    await db.outside.query(
      `CREATE FUNCTION prevent() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NULL; END $$;
       CREATE TRIGGER prevent BEFORE ${event} ON patients FOR EACH ROW EXECUTE FUNCTION prevent()`,
    );
    try {
      await work();
    } finally {
      await db.outside.query('DROP FUNCTION prevent CASCADE');
    }
  };

  const removeIn = async (manager: EntityManager, id: string) =>
    manager.remove(await manager.findOneByOrFail(Patient, { id }));

  it('a remove that a trigger prevents: the transaction fails, no entry tells of it', async () => {
    const { id } = await db.stored();
    await preventing('DELETE', () =>
      expect(db.source.transaction((manager) => removeIn(manager, id))).rejects.toThrow(JournalFlushError),
    );
    expect(await db.rows()).toMatchObject([{ id }]);
    expect(await db.journal()).toEqual([]);
  });

  it('an insert that a trigger prevents, alone or beside another change: the transaction fails', async () => {
    const { id } = await db.stored({ notes: 'before' });
    await preventing('INSERT', async () => {
      await expect(db.source.getRepository(Patient).save(aPatient())).rejects.toThrow(JournalFlushError);
      await expect(
        db.source.transaction(async (manager) => {
          await manager.save(Patient, { id, notes: 'after' });
          await manager.insert(Patient, aPatient());
        }),
      ).rejects.toThrow(JournalFlushError);
    });
    expect(await db.rows()).toMatchObject([{ id, notes: 'before' }]);
    expect(await db.journal()).toEqual([]);
  });

  it('a row that is inserted and then kept by a trigger: the transaction fails, and it is not there', async () => {
    await preventing('DELETE', () =>
      expect(
        db.source.transaction(async (manager) => {
          const { id } = await manager.save(aPatient());
          await removeIn(manager, id);
        }),
      ).rejects.toThrow(JournalFlushError),
    );
    expect(await db.rows()).toEqual([]);
    expect(await db.journal()).toEqual([]);
  });

  /** As somebody does who does not know better. */
  const swallowed = (work: Promise<unknown>) => Promise.allSettled([work]);

  it('a statement that fails and is swallowed: the commit does not pass for one', async () => {
    await expect(
      db.source.transaction(async (manager) => {
        await manager.insert(Patient, aPatient());
        await swallowed(manager.query('SELECT 1 / 0'));
      }),
    ).rejects.toMatchObject({ code: '25P02' });
    // Without a write to a replicated table, no statement of ours would notice.
    await expect(
      db.source.transaction((manager) => swallowed(manager.query('SELECT 1 / 0'))),
    ).rejects.toThrow(CommitRolledBackError);
    expect(await db.rows()).toEqual([]);
    expect(await db.journal()).toEqual([]);
  });

  it('a statement of the journal that the driver refuses to send: the COMMIT does not go without it', async () => {
    const queryRunner = db.source.createQueryRunner();
    const { parsedStatements } = ((await queryRunner.connect()) as { connection: DriverConnection })
      .connection;
    const name = 'journal-insert patients';
    const { [name]: text } = parsedStatements;
    parsedStatements[name] = 'SELECT 1';
    await expect(
      queryRunner.manager.transaction((manager) => manager.insert(Patient, aPatient())),
    ).rejects.toThrow(/must be unique/);
    if (text) parsedStatements[name] = text;
    else Reflect.deleteProperty(parsedStatements, name);
    await queryRunner.release();
    expect(await db.rows()).toEqual([]);
    expect(await db.journal()).toEqual([]);
  });

  /** Calls `work` once, when an insert of a patient has been let through and is on its way. */
  const onceInsertIsSent = (work: () => void): EntitySubscriberInterface => ({
    beforeQuery: ({ query }) => {
      if (query.startsWith('INSERT INTO "patients"')) queueMicrotask(work);
    },
  });

  it('a savepoint that opens while a save is under way: refused, and the save is journaled', async () => {
    const fresh = aPatient();
    const nested: Promise<unknown>[] = [];
    await db.source.transaction(async (manager) => {
      const openSavepoint = onceInsertIsSent(() => {
        const savepoint = manager.transaction(() => Promise.reject(new Error('changed my mind')));
        nested.push(savepoint.catch((error: unknown) => String(error)));
      });
      // Something else takes its time, so that the after-event comes when the savepoint is there.
      openSavepoint.afterQuery = ({ query }) =>
        query.startsWith('INSERT INTO "patients"') ? nested[0] : undefined;
      await withSubscriber(openSavepoint, () => manager.save(fresh));
    });
    expect(await nested[0]).toMatch(/a savepoint opens while it is under way/);
    expect((await db.rows()).map(({ id }) => id)).toEqual([fresh.id]);
    expect((await db.journal()).map(({ op, entity_id }) => [op, entity_id])).toEqual([['insert', fresh.id]]);
  });

  it('the rest of a save that finds itself in a savepoint: refused, nothing is written', async () => {
    const [changed, fresh] = [await db.stored({ notes: 'old' }), aPatient()];
    const nested: Promise<unknown>[] = [];
    const transaction = db.source.transaction(async (manager) => {
      const openSavepoint = onceInsertIsSent(() => {
        const savepoint = manager.transaction((inner) => inner.query('SELECT pg_sleep(0.05)'));
        nested.push(Promise.allSettled([savepoint]));
      });
      await withSubscriber(openSavepoint, () =>
        manager.save([fresh, Object.assign(changed, { notes: 'new' })]),
      );
    });
    await expect(transaction).rejects.toThrow(UndescribableWriteError);
    expect(await Promise.all(nested)).toMatchObject([[{ status: 'rejected' }]]);
    expect((await db.rows()).map(({ id, notes }) => [id, notes])).toEqual([[changed.id, 'old']]);
    expect(await db.journal()).toEqual([]);
  });

  it('an after-hook of another subscriber that throws, caught by the caller: nothing commits', async () => {
    const broken: EntitySubscriberInterface = {
      afterInsert: () => {
        throw new Error('a broken subscriber');
      },
    };
    const swallowed: string[] = [];
    await withSubscriber(broken, () =>
      expect(
        db.source.transaction(async (manager) => {
          await manager
            .insert(Patient, aPatient())
            .catch((error: unknown) => swallowed.push((error as Error).message));
        }),
      ).rejects.toThrow(UndescribableWriteError),
    );
    expect(swallowed).toEqual(['a broken subscriber']);
    expect(await db.rows()).toEqual([]);
    expect(await db.journal()).toEqual([]);
  });

  it('the same in a savepoint that is released: nothing commits', async () => {
    const broken: EntitySubscriberInterface = {
      afterInsert: () => {
        throw new Error('a broken subscriber');
      },
    };
    await withSubscriber(broken, () =>
      expect(
        db.source.transaction(async (manager) => {
          await manager.transaction((nested) =>
            nested
              .insert(Patient, aPatient())
              .catch((error: unknown) => expect((error as Error).message).toBe('a broken subscriber')),
          );
        }),
      ).rejects.toThrow(UndescribableWriteError),
    );
    expect(await db.rows()).toEqual([]);
    expect(await db.journal()).toEqual([]);
  });

  it('a write that nobody awaited before the commit: nothing commits', async () => {
    const transaction = db.source.transaction(async (manager) => {
      const sent = new Promise<void>((resolve) => {
        db.source.subscribers.push({
          beforeQuery: ({ query }) => {
            if (query.startsWith('INSERT INTO "patients"')) resolve();
          },
        });
      });
      const forgotten = manager.insert(Patient, aPatient());
      forgotten.catch((error: unknown) => expect(error).toBeInstanceOf(Error));
      await sent;
      db.source.subscribers.pop();
    });
    await expect(transaction).rejects.toThrow(UndescribableWriteError);
    expect(await db.rows()).toEqual([]);
    expect(await db.journal()).toEqual([]);
  });

  it('an update that a listener takes back: no entry, and the transaction goes on', async () => {
    const [cancelled, kept] = [await db.stored({ notes: 'old' }), aPatient()];
    const takeBack: EntitySubscriberInterface = {
      beforeUpdate: ({ entity }) => {
        Object.assign(entity!, { notes: 'old' });
      },
    };
    await withSubscriber(takeBack, () =>
      db.source.transaction(async (manager) => {
        await manager.save(Object.assign(cancelled, { notes: 'new' }));
        await manager.transaction((nested) => nested.save(kept));
      }),
    );
    expect((await db.journal()).map(({ op, entity_id }) => [op, entity_id])).toEqual([['insert', kept.id]]);
    expect(await db.rows()).toMatchObject([{ notes: 'old' }, { id: kept.id }]);
  });

  it('an insert without an id: refused before it is sent', async () => {
    const sent: string[] = [];
    const insert = (manager: EntityManager) =>
      manager
        .createQueryBuilder()
        .insert()
        .into(Patient)
        .values({ ...(aPatient() as object), id: () => 'gen_random_uuid()' })
        .execute();
    await withSubscriber({ beforeQuery: ({ query }) => void sent.push(query) }, () =>
      expect(db.source.transaction(insert)).rejects.toThrow(/no id yet/),
    );
    expect(sent).toEqual(['START TRANSACTION', 'ROLLBACK']);
  });

  it('a row that another session removed after a savepoint had locked it: no entry from an old image', async () => {
    const [mine, taken] = [await db.stored({ notes: 'seen' }), await db.stored()];
    await db.source.transaction(async (manager) => {
      const loaded = await manager.findOneByOrFail(Patient, { id: mine.id });
      await expect(
        manager.transaction((nested) => nested.save(Patient, { id: mine.id, medicalId: taken.medicalId })),
      ).rejects.toThrow(/duplicate key/);
      await db.outside.query('DELETE FROM patients WHERE id = $1', [mine.id]);
      await manager.remove(loaded);
    });
    expect((await db.journal()).map(({ op, captured_by }) => [op, captured_by])).toEqual([
      ['remove', 'database'],
    ]);
  });

  it('a builder without listeners in the place of an announced row: nothing commits, even when swallowed', async () => {
    const [mine, other] = [await db.stored({ notes: 'a' }), await db.stored({ notes: 'b' })];
    const outcomes: string[] = [];
    const transaction = db.source.transaction(async (manager) => {
      const silently = () =>
        manager
          .createQueryBuilder()
          .update(Patient)
          .set({ notes: 'silent' })
          .where({ id: other.id })
          .callListeners(false)
          .execute();
      // The save has announced its row, and waits for the lock of it.
      let beside: Promise<unknown> = Promise.resolve();
      const slipIn: EntitySubscriberInterface = {
        beforeQuery: ({ query }) => {
          if (query.includes('FOR UPDATE')) beside = silently();
        },
      };
      await withSubscriber(slipIn, async () => {
        const save = manager.save(Patient, { id: mine.id, notes: 'told' });
        const settled = await Promise.allSettled([save, beside]);
        outcomes.push(...settled.map(({ status }) => status));
      });
    });
    await expect(transaction).rejects.toThrow(UndescribableWriteError);
    expect(outcomes).toContain('rejected');
    expect((await db.rows()).map(({ notes }) => notes)).toEqual(['a', 'b']);
    expect(await db.journal()).toEqual([]);
  });

  it.each([
    'COMMIT',
    'SAVEPOINT mine',
    'ROLLBACK',
    `PREPARE TRANSACTION 'later'`,
    `SET LOCAL medlink.capture = off`,
  ])('%s through query(): refused, and the transaction is still whole', async (sql) => {
    const patient = aPatient();
    await db.source.transaction(async (manager) => {
      await manager.insert(Patient, patient);
      await expect(manager.query(sql)).rejects.toThrow(UndescribableWriteError);
      expect(await db.rows()).toEqual([]);
    });
    expect((await db.journal()).map(({ entity_id }) => entity_id)).toEqual([patient.id]);
  });

  it('a failed statement that the caller swallows: the commit is refused, not silently a rollback', async () => {
    const taken = await db.stored();
    const transaction = db.source.transaction(async (manager) => {
      await manager
        .insert(Patient, aPatient({ medicalId: taken.medicalId }))
        .catch((error: unknown) => expect((error as Error).message).toMatch(/duplicate key/));
    });
    await expect(transaction).rejects.toThrow(UndescribableWriteError);
    expect(await db.rows()).toHaveLength(1);
  });
});
