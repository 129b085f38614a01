import { Column, Entity, PrimaryColumn } from 'typeorm';

/** Which patient a source means by an identifier. Stays when the patient is removed. */
@Entity('import_sources')
export class ImportSource {
  @PrimaryColumn('text')
  system!: string;

  @PrimaryColumn('text')
  value!: string;

  @Column('uuid')
  patientId!: string;
}
