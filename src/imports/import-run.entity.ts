import { Column, Entity, PrimaryColumn } from 'typeorm';

export const IMPORT_STATES = ['queued', 'running', 'done', 'failed'] as const;
export const IMPORT_FORMATS = ['ndjson', 'csv', 'mixed'] as const;
export const FINDING_LEVELS = ['error', 'warning', 'skipped'] as const;

export type ImportState = (typeof IMPORT_STATES)[number];
export type ImportFormat = (typeof IMPORT_FORMATS)[number];
export type FindingLevel = (typeof FINDING_LEVELS)[number];

/** Sizes of files; PostgreSQL's bigint comes as text. */
const BYTES = { from: Number, to: (value: number) => value };

/** One import, from the moment it was asked for: how far it is, and what came of it. */
@Entity('imports')
export class ImportRun {
  @PrimaryColumn('uuid')
  id!: string;

  @Column('text')
  format!: ImportFormat;

  /** What runs it: this node for its clients, or the command line. */
  @Column('text')
  runner!: 'node' | 'command';

  @Column('text')
  state!: ImportState;

  /** Why it failed as a whole. */
  @Column('text', { nullable: true })
  error!: string | null;

  @Column('integer', { default: 0 })
  total!: number;

  @Column('integer', { default: 0 })
  created!: number;

  @Column('integer', { default: 0 })
  updated!: number;

  @Column('integer', { default: 0 })
  unchanged!: number;

  @Column('integer', { default: 0 })
  skipped!: number;

  @Column('integer', { default: 0 })
  failed!: number;

  @Column('bigint', { transformer: BYTES, default: 0 })
  bytesRead!: number;

  @Column('bigint', { transformer: BYTES })
  bytesTotal!: number;

  @Column({ type: 'timestamptz', precision: 3 })
  createdAt!: Date;

  @Column('text')
  createdBy!: string;

  @Column({ type: 'timestamptz', precision: 3, nullable: true })
  startedAt!: Date | null;

  /** The last sign of life. */
  @Column({ type: 'timestamptz', precision: 3 })
  progressAt!: Date;

  @Column({ type: 'timestamptz', precision: 3, nullable: true })
  finishedAt!: Date | null;
}
