import {
  Column,
  DataSource,
  Entity,
  JoinTable,
  ManyToMany,
  ManyToOne,
  PrimaryColumn,
  VirtualColumn,
} from 'typeorm';
import { Merge } from '../../src/journal/merge-rule.js';
import { Replicated } from '../../src/journal/replicated.js';
import { replicatedTables } from '../../src/journal/replicated-tables.js';
import { cloneDatabases, type TestDatabases } from '../harness/databases.js';

const PUBLIC = { compartment: null, schema: 1 };

@Entity('wards')
@Replicated(PUBLIC)
class Ward {
  @Merge('review')
  @PrimaryColumn('uuid')
  id!: string;

  @Merge('review')
  @Column('text')
  name!: string;

  @Merge('review')
  @Column({ type: 'text', asExpression: 'upper(name)', generatedType: 'STORED' })
  sign!: string;

  @VirtualColumn({ query: (alias) => `SELECT count(*) FROM beds WHERE ward_id = ${alias}.id` })
  beds!: number;
}

@Entity('beds')
@Replicated(PUBLIC)
class Bed {
  @Merge('review')
  @PrimaryColumn('uuid')
  id!: string;

  @Merge('review')
  @ManyToOne(() => Ward, { onDelete: 'RESTRICT' })
  ward!: Ward;
}

@Entity('cascading_beds')
@Replicated(PUBLIC)
class CascadingBed {
  @Merge('review')
  @PrimaryColumn('uuid')
  id!: string;

  @Merge('review')
  @ManyToOne(() => Ward, { onDelete: 'CASCADE' })
  ward!: Ward;
}

@Entity('labels')
class Label {
  @Merge('review')
  @PrimaryColumn('uuid')
  id!: string;

  @Merge('review')
  @ManyToOne(() => Ward, { onDelete: 'SET NULL', nullable: true })
  ward!: Ward | null;
}

@Entity('staff')
class Staff {
  @Merge('review')
  @PrimaryColumn('uuid')
  id!: string;

  @ManyToMany(() => Ward)
  @JoinTable()
  wards!: Ward[];
}

@Entity('numbered')
@Replicated(PUBLIC)
class Numbered {
  @Merge('review')
  @PrimaryColumn('integer')
  number!: number;
}

describe('replicatedTables', () => {
  let databases: TestDatabases;
  beforeAll(async () => {
    databases = await cloneDatabases();
  });
  afterAll(() => databases.drop());

  const tablesOf = async (...entities: (new () => object)[]) => {
    const source = await new DataSource({
      type: 'postgres',
      url: databases.regionaleUrl,
      entities,
    }).initialize();
    try {
      return replicatedTables(source);
    } finally {
      await source.destroy();
    }
  };

  it('leaves out what the database computes, and keeps the keys of relations', async () => {
    expect(await tablesOf(Ward, Bed)).toMatchObject([
      { name: 'wards', columns: ['id', 'name'] },
      { name: 'beds', columns: ['id', 'wardId'] },
    ]);
  });

  it('refuses foreign keys by which the database writes rows, from a replicated table and to it', async () => {
    await expect(tablesOf(Ward, CascadingBed)).rejects.toThrow(/CascadingBed \(wardId\) to Ward may only/);
    await expect(tablesOf(Ward, Label)).rejects.toThrow(/Label \(wardId\) to Ward may only/);
  });

  it('refuses many-to-many relations, from either side', async () => {
    await expect(tablesOf(Ward, Staff)).rejects.toThrow(/Ward is @Replicated.*many-to-many.*Staff/);
  });

  it('refuses another primary key than one uuid named id', async () => {
    await expect(tablesOf(Numbered)).rejects.toThrow(/Numbered.*primary key/);
  });
});
