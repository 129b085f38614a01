import type { Patient } from '../../src/patients/patient.entity.js';
import type { Region } from '../../src/regions/region.entity.js';
import type { Random } from '../faults/random.js';

/** A row, by column, as JSON has it. */
export type Row = Readonly<Record<string, unknown>>;

/**
 * What people fill in, in the units in which it is one value, by column. Written down here once more on purpose: it is
 * not read from the product's own rules.
 */
export const UNITS = {
  medicalId: ['medical_id'],
  familyName: ['family_name'],
  usedName: ['used_name'],
  givenNames: ['given_names'],
  birth: ['birth_date', 'birth_date_precision'],
  birthPlace: ['birth_place'],
  nationalId: ['national_id'],
  phone: ['phone'],
  email: ['email'],
  address: ['address'],
  location: ['location'],
  bloodGroup: ['blood_group'],
  allergies: ['allergies'],
  chronicConditions: ['chronic_conditions'],
  emergencyContact: ['emergency_contact'],
  notes: ['notes'],
} as const satisfies Record<string, readonly string[]>;

export type Unit = keyof typeof UNITS;

const EDITED: readonly Unit[] = [
  'usedName',
  'birth',
  'birthPlace',
  'phone',
  'phone',
  'email',
  'location',
  'bloodGroup',
  'allergies',
  'address',
  'notes',
];
const PRECISIONS = ['day', 'month', 'year'] as const;
const BLOOD_GROUPS = ['A+', 'A-', 'B+', 'O-'] as const;
const DAY_MS = 86_400_000;

type PatientFields = Partial<Patient>;

/** Makes values: nearly all of them different, some the same again, and some the same written otherwise. */
export class Values {
  private made = 0;

  /** `run` makes them different from those of other runs on the same databases. */
  constructor(
    private readonly random: Random,
    private readonly run: string,
  ) {}

  /** Some fields of a patient, by property. */
  edit(): PatientFields {
    const units = new Set(this.random.some(EDITED, this.random.between(1, 3)));
    const medicalId = this.random.chance(0.04) ? { medicalId: this.medicalId() } : {};
    return Object.assign(medicalId, ...[...units].map((unit) => this.fieldsOf(unit))) as PatientFields;
  }

  /** A whole patient, without what the application adds. */
  patient(): PatientFields {
    return {
      familyName: this.unlike('N'),
      givenNames: this.unlike('G'),
      sex: 'female',
      allergies: [],
      chronicConditions: [],
      birthDate: this.date(),
      birthDatePrecision: 'day',
      medicalId: this.medicalId(),
      phone: this.phone(),
    };
  }

  private medicalId(): string {
    return this.random.chance(0.1) ? `${this.run}-SHARED` : this.unlike('M');
  }

  unlike(kind: string): string {
    this.made += 1;
    return `${kind}${this.run}-${String(this.made)}`;
  }

  private fieldsOf(unit: Unit): PatientFields {
    switch (unit) {
      case 'birth':
        return this.birth();
      case 'phone':
        return { phone: this.random.chance(0.05) ? null : this.phone() };
      case 'location':
        return { location: this.location() };
      case 'bloodGroup':
        return { bloodGroup: this.random.pick(BLOOD_GROUPS) };
      case 'allergies':
        return { allergies: this.list() };
      case 'address':
        return { address: { city: this.text('C') } };
      default:
        return { [unit]: this.random.chance(0.05) ? null : this.text(unit) };
    }
  }

  private birth(): PatientFields {
    const birthDate = this.date();
    const birthDatePrecision = this.random.pick(PRECISIONS);
    return this.random.pick([{ birthDate, birthDatePrecision }, { birthDate }, { birthDatePrecision }]);
  }

  private date(): string {
    this.made += 1;
    return new Date(Date.UTC(1950, 0) + this.made * DAY_MS).toISOString().slice(0, 10);
  }

  private phone(): string {
    if (this.random.chance(0.15)) return this.random.pick(['+221770000000', '+221 77 000 00 00']);
    this.made += 1;
    return `+22178${String(this.made).padStart(7, '0')}`;
  }

  /** Positions are either some metres or some kilometres apart. */
  private location(): { latitude: number; longitude: number } {
    if (this.random.chance(0.2))
      return { latitude: 14.5 + this.random.between(0, 1) * 0.0001, longitude: -17 };
    this.made += 1;
    return { latitude: 10 + this.made / 50, longitude: -15 };
  }

  private list(): string[] {
    const both = ['Arachide', this.text('A')];
    return this.random.chance(0.5) ? both : both.reverse();
  }

  private text(kind: string): string {
    if (this.random.chance(0.15)) return this.random.pick(['Se\u0301ne', 'S\u00e9ne', 'Séne ']);
    return this.unlike(kind);
  }
}

/** Whether two values of a unit mean the same, by rules that are written here once more. */
export function meansTheSame(unit: Unit, one: Row, other: Row): boolean {
  return UNITS[unit].every((column) => meaning(unit, one[column]) === meaning(unit, other[column]));
}

/** A text that two values share when they mean the same. */
export function meaning(unit: Unit, value: unknown): string {
  if (value == null) return 'null';
  if (unit === 'phone') return JSON.stringify((value as string).replaceAll(' ', ''));
  if (unit === 'location') {
    const { latitude, longitude } = value as Record<'latitude' | 'longitude', number>;
    return `${latitude.toFixed(2)} ${longitude.toFixed(2)}`;
  }
  if (Array.isArray(value)) return JSON.stringify(value.map((item) => meaning(unit, item)).sort());
  return JSON.stringify(value).normalize('NFC').replaceAll(' "', '"').replaceAll('" ', '"');
}

export function aRegion(code: string): Region {
  const now = new Date();
  return {
    id: crypto.randomUUID(),
    code,
    name: code,
    enabled: true,
    version: 1,
    createdAt: now,
    updatedAt: now,
    createdBy: 'test',
    updatedBy: 'test',
  };
}
