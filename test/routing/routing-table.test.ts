import { Column, Entity, ManyToOne, OneToMany, PrimaryColumn } from 'typeorm';
import type {
  ConnectionRouter,
  ConnectionRouterClass,
  EntityClass,
  RoutedNode,
} from '../../src/routing/connection-router.js';
import { CENTRAL, REGIONALE } from '../../src/routing/connection-names.js';
import type { RoutedFeature } from '../../src/routing/feature.js';
import { RoutingError, RoutingTable } from '../../src/routing/routing-table.js';
import { refuseUndeclaredEntities } from '../../src/routing/undeclared-entities.js';
import { Patient } from '../../src/patients/patient.entity.js';
import { PatientsRouter } from '../../src/patients/patients.router.js';

@Entity('test_wards')
class Ward {
  @PrimaryColumn('uuid')
  id!: string;

  @OneToMany(() => Bed, (bed) => bed.ward)
  beds!: unknown[];
}

@Entity('test_beds')
class Bed {
  @PrimaryColumn('uuid')
  id!: string;

  @ManyToOne(() => Ward, (ward) => ward.beds)
  ward!: unknown;

  @Column('text')
  label!: string;
}

@Entity('test_stock')
class Stock {
  @PrimaryColumn('uuid')
  id!: string;
}

/** A router that answers what a test says. */
const answering = (answers: ConnectionRouter): ConnectionRouterClass =>
  class TestRouter implements ConnectionRouter {
    forRead = (entity: EntityClass) => answers.forRead?.(entity);
    forWrite = (entity: EntityClass) => answers.forWrite?.(entity);
    allowRelation = (from: EntityClass, to: EntityClass) => answers.allowRelation?.(from, to);
    allowMigrate = (connection: string, entity: EntityClass) => answers.allowMigrate?.(connection, entity);
  };
const sending = (entity: EntityClass, connection: string) =>
  answering({
    forRead: (asked) => (asked === entity ? connection : undefined),
    forWrite: (asked) => (asked === entity ? connection : undefined),
  });
const problemsOf = (features: RoutedFeature[]) => {
  try {
    new RoutingTable(features, 'standalone');
  } catch (error) {
    if (error instanceof RoutingError) return error.problems;
    throw error;
  }
  return [];
};

describe('the connection routers', () => {
  it('without an answer, everything goes to default, and every table may exist everywhere', () => {
    const table = new RoutingTable([{ entities: [Ward, Bed] }], 'standalone');
    expect(table.forRead(Ward)).toBe('default');
    expect(table.forWrite(Ward)).toBe('default');
    expect(table.entitiesOn(CENTRAL)).toEqual([Ward, Bed]);
    expect(table.entitiesOn(REGIONALE)).toEqual([Ward, Bed]);
  });

  it('the first that answers wins; one that does not leaves the question to the next', () => {
    const silent = answering({});
    const table = new RoutingTable(
      [
        { entities: [Stock], router: silent },
        { entities: [], router: sending(Stock, REGIONALE) },
        { entities: [], router: sending(Stock, CENTRAL) },
      ],
      'standalone',
    );
    expect(table.forRead(Stock)).toBe(REGIONALE);
  });

  it('reads and writes may go to different connections', () => {
    const router = answering({ forRead: () => CENTRAL, forWrite: () => REGIONALE });
    const table = new RoutingTable([{ entities: [Stock], router }], 'standalone');
    expect([table.forRead(Stock), table.forWrite(Stock)]).toEqual([CENTRAL, REGIONALE]);
  });

  it('allowMigrate keeps a table off a connection, and its module’s migrations with it', () => {
    class MakeStocks {
      readonly name = 'MakeStocks0000000000001';
      up = () => Promise.resolve();
      down = () => Promise.resolve();
    }
    const router = answering({
      forRead: () => REGIONALE,
      forWrite: () => REGIONALE,
      allowMigrate: (connection) => connection === REGIONALE,
    });
    const table = new RoutingTable([{ entities: [Stock], router, migrations: [MakeStocks] }], 'standalone');
    expect([table.entitiesOn(REGIONALE), table.migrationsOn(REGIONALE)]).toEqual([[Stock], [MakeStocks]]);
    expect([table.entitiesOn(CENTRAL), table.migrationsOn(CENTRAL)]).toEqual([[], []]);
  });

  it('PatientsRouter: reads, writes and migrates at home, wherever home is', () => {
    const features = [{ entities: [Patient], router: PatientsRouter }];
    for (const mode of ['standalone', 'regional'] as const) {
      const table = new RoutingTable(features, mode);
      expect([table.forRead(Patient), table.forWrite(Patient)]).toEqual([REGIONALE, REGIONALE]);
      expect(table.allowMigrate(REGIONALE, Patient)).toBe(true);
    }
    const central = new RoutingTable(features, 'central');
    expect([central.forRead(Patient), central.forWrite(Patient)]).toEqual([CENTRAL, CENTRAL]);
    const router = new PatientsRouter({ home: 'anywhere' } satisfies RoutedNode);
    expect([router.forRead(Patient), router.forRead(Stock)]).toEqual(['anywhere', undefined]);
  });

  it('refuses at start: a router that names an unknown connection', () => {
    expect(problemsOf([{ entities: [Stock], router: sending(Stock, 'reginale') }])).toEqual([
      expect.stringMatching(
        /TestRouter\.forRead\(Stock\) answers "reginale".*Answer one of "default", "regionale"/,
      ),
      expect.stringMatching(/TestRouter\.forWrite\(Stock\) answers "reginale"/),
    ]);
  });

  it('refuses at start: an entity whose connection may not hold its table', () => {
    const router = answering({
      forRead: () => REGIONALE,
      forWrite: () => REGIONALE,
      allowMigrate: () => false,
    });
    const problems = problemsOf([{ entities: [Stock], router }]);
    expect(problems).toHaveLength(2);
    expect(problems[0]).toMatch(/Stock has no connection: forRead answers "regionale", but allowMigrate/);
  });

  it('refuses at start: a relation across connections, unless a router allows it', () => {
    const across = [
      { entities: [Ward], router: sending(Ward, REGIONALE) },
      { entities: [Bed], router: sending(Bed, CENTRAL) },
    ];
    const problems = problemsOf(across);
    expect(problems).toHaveLength(2);
    expect(problems.join()).toMatch(
      /Bed\.ward joins Bed on one connection with Ward on another.*keep Ward's id/,
    );
    expect(
      problemsOf([...across, { entities: [], router: answering({ allowRelation: () => true }) }]),
    ).toEqual([]);
    expect(
      problemsOf([{ entities: [Ward, Bed], router: answering({ allowRelation: () => false }) }]),
    ).toHaveLength(2);
  });

  it('refuses at start: a relation to an entity that no module has declared', () => {
    expect(problemsOf([{ entities: [Bed] }])).toEqual([
      expect.stringMatching(/Ward, which Bed\.ward refers to, has no connection: add it to the entities/),
    ]);
  });

  it('refuses at start: an entity that no module declares at all', () => {
    const refuse = () => {
      refuseUndeclaredEntities([{ entities: [Patient, Ward, Bed] }]);
    };
    expect(refuse).toThrow(/Stock has no connection: add it to the entities of its module/);
    expect(() => {
      refuseUndeclaredEntities([{ entities: [Patient, Ward, Bed] }, { entities: [Stock] }]);
    }).not.toThrow();
  });
});
