import { Column, Entity, PrimaryColumn } from 'typeorm';
import { Replicated } from '../journal/replicated.js';

export type Sex = 'male' | 'female' | 'other' | 'unknown';
export type BirthDatePrecision = 'day' | 'month' | 'year';
export type BloodGroup = 'A+' | 'A-' | 'B+' | 'B-' | 'AB+' | 'AB-' | 'O+' | 'O-';

export interface Address {
  line?: string;
  city?: string;
  district?: string;
  postalCode?: string;
  country?: string;
}

export interface Location {
  latitude: number;
  longitude: number;
}

export interface EmergencyContact {
  name?: string;
  phone?: string;
  relationship?: string;
}

/** A patient's file. What moves as one (address, location, emergency contact) is one column. */
@Entity('patients')
@Replicated({ compartment: 'id', schema: 1 })
export class Patient {
  @PrimaryColumn('uuid')
  id!: string;

  @Column('text')
  medicalId!: string;

  /** Home region. */
  @Column('text')
  region!: string;

  @Column('text')
  familyName!: string;

  @Column('text', { nullable: true })
  usedName!: string | null;

  @Column('text')
  givenNames!: string;

  @Column('date')
  birthDate!: string;

  @Column('text')
  birthDatePrecision!: BirthDatePrecision;

  @Column('text')
  sex!: Sex;

  @Column('text', { nullable: true })
  birthPlace!: string | null;

  @Column('text', { nullable: true })
  nationalId!: string | null;

  @Column('text', { nullable: true })
  phone!: string | null;

  @Column('text', { nullable: true })
  email!: string | null;

  @Column('jsonb', { nullable: true })
  address!: Address | null;

  @Column('jsonb', { nullable: true })
  location!: Location | null;

  @Column('text', { nullable: true })
  bloodGroup!: BloodGroup | null;

  @Column('text', { array: true })
  allergies!: string[];

  @Column('text', { array: true })
  chronicConditions!: string[];

  @Column('jsonb', { nullable: true })
  emergencyContact!: EmergencyContact | null;

  @Column({ type: 'timestamptz', precision: 3, nullable: true })
  deceasedAt!: Date | null;

  @Column('text', { nullable: true })
  notes!: string | null;

  @Column('integer')
  version!: number;

  @Column({ type: 'timestamptz', precision: 3 })
  createdAt!: Date;

  @Column({ type: 'timestamptz', precision: 3 })
  updatedAt!: Date;

  @Column('text')
  createdBy!: string;

  @Column('text')
  updatedBy!: string;
}
