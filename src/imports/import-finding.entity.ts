import { Column, Entity, PrimaryColumn } from 'typeorm';
import type { FindingLevel } from './import-run.entity.js';

/** One thing that an import reports of one line. Never holds the value. */
@Entity('import_errors')
export class ImportFinding {
  @PrimaryColumn('uuid')
  importId!: string;

  /** In the order in which they were found. */
  @PrimaryColumn('integer')
  position!: number;

  @Column('integer')
  file!: number;

  @Column('integer')
  line!: number;

  @Column('text')
  level!: FindingLevel;

  @Column('text')
  path!: string;

  @Column('text')
  message!: string;
}
