import { Column, Entity, PrimaryColumn } from 'typeorm';
import { Merge } from '../journal/merge-rule.js';
import { Replicated } from '../journal/replicated.js';

/** `home`: the region that registered the patient. `copy`: one that asked for a copy, to give care. */
export type HostKind = 'home' | 'copy';

/** A region that holds a patient's file, and is sent every change of it. Added at central only. */
@Entity('hosts')
@Replicated({ compartment: 'patientId', schema: 1 })
export class Host {
  @Merge('fixed')
  @PrimaryColumn('uuid')
  id!: string;

  @Merge('fixed')
  @Column('uuid')
  patientId!: string;

  /** The region's code. */
  @Merge('fixed')
  @Column('text')
  region!: string;

  @Merge('central')
  @Column('text')
  kind!: HostKind;

  @Merge('fixed')
  @Column({ type: 'timestamptz', precision: 3 })
  createdAt!: Date;

  /** Id of the account. */
  @Merge('fixed')
  @Column('text')
  createdBy!: string;
}
