import { Column, Entity, PrimaryColumn } from 'typeorm';
import { Merge } from '../journal/merge-rule.js';
import { Replicated } from '../journal/replicated.js';
import type { Decisions, DisputedFields } from './disputed-fields.js';

/**
 * - `fields`: two nodes set the same columns to different values.
 * - `removal`: one removed the record while another changed it; the record was kept.
 * - `identity`: two records have what only one may have, such as a medical id; both were kept.
 */
export type ConflictKind = 'fields' | 'removal' | 'identity';
/** `low`: decided by a policy, or merged. `high`: identity. `critical`: clinical data, removal. */
export type ConflictSeverity = 'low' | 'high' | 'critical';
export type ConflictState = 'open' | 'resolved';
/** How it ended: both sides fitted together, a field's policy decided, or a person did. */
export type ConflictOutcome = 'merge' | 'policy' | 'person';

/** Two people who decide the same agree, whoever they are. */
const WHOEVER = (): boolean => true;

/**
 * Two people changed the same thing without knowing of each other. Born at central; decided on any node that has
 * the patient. What a person decided moves as one; decided differently on two nodes, or overtaken by what
 * central has added meanwhile, it is open again.
 */
@Entity('conflicts')
@Replicated({ compartment: 'patientId', schema: 1 })
export class Conflict {
  @Merge('fixed')
  @PrimaryColumn('uuid')
  id!: string;

  @Merge('fixed')
  @Column('uuid')
  patientId!: string;

  /** The table of the record, and its id. */
  @Merge('fixed')
  @Column('text')
  entity!: string;

  @Merge('fixed')
  @Column('uuid')
  entityId!: string;

  /** Of an identity conflict: the other record. */
  @Merge('fixed')
  @Column('uuid', { nullable: true })
  otherId!: string | null;

  /** The region whose change met another one at central. */
  @Merge('fixed')
  @Column('text')
  region!: string;

  @Merge('fixed')
  @Column('text')
  kind!: ConflictKind;

  @Merge('central', { group: 'decision' })
  @Column('text')
  severity!: ConflictSeverity;

  @Merge('central', { group: 'decision', undecided: 'open' })
  @Column('text')
  state!: ConflictState;

  /** Of a conflict that was never open, or has been decided; `null` while it is open. */
  @Merge('central', { group: 'decision', undecided: null })
  @Column('text', { nullable: true })
  outcome!: ConflictOutcome | null;

  /** By column. */
  @Merge('central', { group: 'decision' })
  @Column('jsonb')
  fields!: DisputedFields;

  @Merge('central', { group: 'decision', undecided: null })
  @Column('jsonb', { nullable: true })
  decisions!: Decisions | null;

  @Merge('central', { group: 'decision', undecided: null, same: WHOEVER })
  @Column('text', { nullable: true })
  reason!: string | null;

  @Merge('central', { group: 'decision', undecided: null, same: WHOEVER })
  @Column('text', { nullable: true })
  decidedBy!: string | null;

  @Merge('central', { group: 'decision', undecided: null, same: WHOEVER })
  @Column('text', { nullable: true })
  decidedByName!: string | null;

  @Merge('central', { group: 'decision', undecided: null, same: WHOEVER })
  @Column('text', { nullable: true })
  decidedRole!: string | null;

  /** The node where it was decided: a region's code, or `central`. */
  @Merge('central', { group: 'decision', undecided: null, same: WHOEVER })
  @Column('text', { nullable: true })
  decidedNode!: string | null;

  @Merge('central', { group: 'decision', undecided: null, same: WHOEVER })
  @Column({ type: 'timestamptz', precision: 3, nullable: true })
  decidedAt!: Date | null;

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
