import { ApiProperty } from '@nestjs/swagger';
import { Type } from 'class-transformer';
import {
  ArrayMaxSize,
  ArrayUnique,
  IsArray,
  IsEmail,
  IsIn,
  IsObject,
  IsOptional,
  IsString,
  Matches,
  MaxLength,
  ValidateNested,
} from 'class-validator';
import { Check, Column, Entity, Index, PrimaryColumn } from 'typeorm';
import { Merge } from '../journal/merge-rule.js';
import { Replicated } from '../journal/replicated.js';
import { InGroup } from './field-group.js';
import { BirthDate, DeathInstant } from './fields/dates.js';
import { Phone } from './fields/phone.js';
import { sameList, samePhone, samePlace } from './fields/same.js';
import { LongText, PersonName, Text, TextList } from './fields/text.js';
import { EXAMPLE } from './patient.example.js';
import { Address, EmergencyContact, Location } from './patient-parts.js';

export const SEXES = ['male', 'female', 'other', 'unknown'] as const;
export const PRECISIONS = ['day', 'month', 'year'] as const;
export const BLOOD_GROUPS = ['A+', 'A-', 'B+', 'B-', 'AB+', 'AB-', 'O+', 'O-'] as const;

export type Sex = (typeof SEXES)[number];
export type BirthDatePrecision = (typeof PRECISIONS)[number];
export type BloodGroup = (typeof BLOOD_GROUPS)[number];

/** Instants that people enter stay the text that JSON carries. */
const AS_TEXT = {
  from: (value: Date | null) => value && value.toISOString(),
  to: (value: string | null) => value,
};

/**
 * A patient's file: its columns, their rules, who may see them, and how the API shows them, each said
 * once. What moves as one (address, location, emergency contact) is one column.
 */
@Entity('patients')
@Replicated({ compartment: 'id', schema: 1 })
@Index('patients_medical_id', { synchronize: false })
@Index('patients_names', { synchronize: false })
@Index('patients_family_name', { synchronize: false })
@Index('patients_birth_date', { synchronize: false })
@Index('patients_national_id', { synchronize: false })
@Index('patients_phone', { synchronize: false })
@Index('patients_location', { synchronize: false })
@Index('patients_updated_at', { synchronize: false })
@Check('patients_address_check', `jsonb_typeof(address) = 'object'`)
@Check('patients_location_check', `jsonb_typeof(location) = 'object'`)
@Check('patients_emergency_contact_check', `jsonb_typeof(emergency_contact) = 'object'`)
export class Patient {
  @ApiProperty({ format: 'uuid', example: EXAMPLE.id })
  @Merge('fixed')
  @PrimaryColumn('uuid')
  id!: string;

  @ApiProperty({
    pattern: '^[A-Za-z0-9._/-]{1,64}$',
    description: 'Unique. Generated when it is not given: region, eight characters, check character.',
  })
  @InGroup('identity')
  @IsString()
  @Matches(/^[A-Za-z0-9._/-]{1,64}$/, { message: 'must be 1 to 64 of A-Z a-z 0-9 . _ / -' })
  @Merge('review', { unique: true })
  @Column('text')
  medicalId!: string;

  @ApiProperty({ example: EXAMPLE.region, description: 'Home region.' })
  @Merge('review')
  @Column('text')
  region!: string;

  @ApiProperty({ maxLength: 200, example: EXAMPLE.familyName })
  @InGroup('identity')
  @PersonName()
  @Merge('review')
  @Column('text')
  familyName!: string;

  @ApiProperty({
    type: String,
    nullable: true,
    maxLength: 200,
    example: EXAMPLE.usedName,
    description: 'The name that the patient goes by, such as a married name.',
  })
  @InGroup('identity')
  @IsOptional()
  @PersonName()
  @Merge('review')
  @Column('text', { nullable: true })
  usedName!: string | null;

  @ApiProperty({ maxLength: 200, example: EXAMPLE.givenNames })
  @InGroup('identity')
  @PersonName()
  @Merge('review')
  @Column('text')
  givenNames!: string;

  @ApiProperty({ format: 'date', example: EXAMPLE.birthDate })
  @InGroup('identity')
  @BirthDate()
  @Merge('review', { group: 'birth' })
  @Column('date')
  birthDate!: string;

  @ApiProperty({
    enum: PRECISIONS,
    default: 'day',
    example: EXAMPLE.birthDatePrecision,
    description: 'How much of the birth date is known: the day, the month or only the year.',
  })
  @InGroup('identity')
  @IsString()
  @IsIn(PRECISIONS)
  @Merge('review', { group: 'birth' })
  @Column('text')
  birthDatePrecision!: BirthDatePrecision;

  @ApiProperty({ enum: SEXES, example: EXAMPLE.sex })
  @InGroup('identity')
  @IsString()
  @IsIn(SEXES)
  @Merge('review')
  @Column('text')
  sex!: Sex;

  @ApiProperty({ type: String, nullable: true, maxLength: 200, example: EXAMPLE.birthPlace })
  @InGroup('identity')
  @IsOptional()
  @Text(200)
  @Merge('review')
  @Column('text', { nullable: true })
  birthPlace!: string | null;

  @ApiProperty({ type: String, nullable: true, maxLength: 64, example: EXAMPLE.nationalId })
  @InGroup('identity')
  @IsOptional()
  @Text(64)
  @Merge('review')
  @Column('text', { nullable: true })
  nationalId!: string | null;

  @ApiProperty({
    type: String,
    nullable: true,
    example: EXAMPLE.phone,
    description: 'With its country code; kept in E.164.',
  })
  @InGroup('contact')
  @IsOptional()
  @Phone()
  @Merge('latest', { same: samePhone })
  @Column('text', { nullable: true })
  phone!: string | null;

  @ApiProperty({ type: String, nullable: true, format: 'email', maxLength: 254, example: EXAMPLE.email })
  @InGroup('contact')
  @IsOptional()
  @IsString()
  @IsEmail()
  @MaxLength(254)
  @Merge('latest')
  @Column('text', { nullable: true })
  email!: string | null;

  @ApiProperty({ type: () => Address, nullable: true })
  @InGroup('contact')
  @IsOptional()
  @IsObject()
  @ValidateNested()
  @Type(() => Address)
  @Merge('latest')
  @Column('jsonb', { nullable: true })
  address!: Address | null;

  @ApiProperty({ type: () => Location, nullable: true })
  @InGroup('contact')
  @IsOptional()
  @IsObject()
  @ValidateNested()
  @Type(() => Location)
  @Merge('latest', { same: samePlace })
  @Column('jsonb', { nullable: true })
  location!: Location | null;

  @ApiProperty({ type: String, nullable: true, enum: BLOOD_GROUPS, example: EXAMPLE.bloodGroup })
  @InGroup('clinical')
  @IsOptional()
  @IsString()
  @IsIn(BLOOD_GROUPS)
  @Merge('review', { clinical: true })
  @Column('text', { nullable: true })
  bloodGroup!: BloodGroup | null;

  @ApiProperty({ type: [String], maxItems: 100, default: [], example: EXAMPLE.allergies })
  @InGroup('clinical')
  @IsArray()
  @ArrayMaxSize(100)
  @ArrayUnique()
  @TextList(200)
  @Merge('review', { clinical: true, same: sameList })
  @Column('text', { array: true })
  allergies!: string[];

  @ApiProperty({ type: [String], maxItems: 100, default: [], example: EXAMPLE.chronicConditions })
  @InGroup('clinical')
  @IsArray()
  @ArrayMaxSize(100)
  @ArrayUnique()
  @TextList(200)
  @Merge('review', { clinical: true, same: sameList })
  @Column('text', { array: true })
  chronicConditions!: string[];

  @ApiProperty({ type: () => EmergencyContact, nullable: true })
  @InGroup('contact')
  @IsOptional()
  @IsObject()
  @ValidateNested()
  @Type(() => EmergencyContact)
  @Merge('latest')
  @Column('jsonb', { nullable: true })
  emergencyContact!: EmergencyContact | null;

  @ApiProperty({ type: String, nullable: true, format: 'date-time', example: EXAMPLE.deceasedAt })
  @InGroup('identity')
  @IsOptional()
  @DeathInstant()
  @Merge('review', { clinical: true })
  @Column({ type: 'timestamptz', precision: 3, nullable: true, transformer: AS_TEXT })
  deceasedAt!: string | null;

  @ApiProperty({ type: String, nullable: true, maxLength: 10_000, example: EXAMPLE.notes })
  @InGroup('clinical')
  @IsOptional()
  @LongText(10_000)
  @Merge('review', { clinical: true })
  @Column('text', { nullable: true })
  notes!: string | null;

  @ApiProperty({ type: 'integer', example: EXAMPLE.version, description: 'Raised by every change.' })
  @Merge('version')
  @Column('integer')
  version!: number;

  @ApiProperty({ format: 'date-time', example: EXAMPLE.createdAt })
  @Merge('fixed')
  @Column({ type: 'timestamptz', precision: 3 })
  createdAt!: Date;

  @ApiProperty({ format: 'date-time', example: EXAMPLE.updatedAt })
  @Merge('stamp')
  @Column({ type: 'timestamptz', precision: 3 })
  updatedAt!: Date;

  @ApiProperty({ description: 'Id of the account.', example: EXAMPLE.createdBy })
  @Merge('fixed')
  @Column('text')
  createdBy!: string;

  @ApiProperty({ description: 'Id of the account.', example: EXAMPLE.updatedBy })
  @Merge('stamp')
  @Column('text')
  updatedBy!: string;
}
