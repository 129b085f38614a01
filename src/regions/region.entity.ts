import { Column, Entity, PrimaryColumn } from 'typeorm';
import { Merge } from '../journal/merge-rule.js';
import { Replicated } from '../journal/replicated.js';

/** A region of the country. Kept at central, and known to every node. */
@Entity('regions')
@Replicated({ compartment: null, schema: 1 })
export class Region {
  @Merge('fixed')
  @PrimaryColumn('uuid')
  id!: string;

  /** Two to four capital letters. */
  @Merge('fixed')
  @Column('text')
  code!: string;

  @Merge('central')
  @Column('text')
  name!: string;

  /** Whether its nodes may exchange with central. */
  @Merge('central')
  @Column('boolean')
  enabled!: boolean;

  @Merge('version')
  @Column('integer')
  version!: number;

  @Merge('fixed')
  @Column({ type: 'timestamptz', precision: 3 })
  createdAt!: Date;

  @Merge('stamp')
  @Column({ type: 'timestamptz', precision: 3 })
  updatedAt!: Date;

  @Merge('fixed')
  @Column('text')
  createdBy!: string;

  @Merge('stamp')
  @Column('text')
  updatedBy!: string;
}
