import { EXAMPLE } from '../../src/patients/patient.example.js';

const FAMILY_NAMES = [
  'NDiaye',
  'Diop',
  'Fall',
  'Sow',
  'Ba',
  'Sy',
  'Gueye',
  'Faye',
  'Sarr',
  'Cissé',
  'Diallo',
  'Kane',
];
const GIVEN_NAMES = [
  'Aïssatou',
  'Fatou',
  'Mamadou',
  'Ousmane',
  'Awa',
  'Ibrahima',
  'Khady',
  'Moussa',
  'Mariama',
];

const { id, medicalId, region, version, createdAt, updatedAt, createdBy, updatedBy, ...FIELDS } = EXAMPLE;
/** What the server sets. */
export const BOOKKEEPING = { id, medicalId, region, version, createdAt, updatedAt, createdBy, updatedBy };

/** A patient with every column filled, as a client sends it. */
export function draftPatient(n: number): Record<string, unknown> {
  return {
    ...FIELDS,
    familyName: FAMILY_NAMES[n % FAMILY_NAMES.length],
    givenNames: `${GIVEN_NAMES[n % GIVEN_NAMES.length] ?? ''} ${GIVEN_NAMES[(n >> 4) % GIVEN_NAMES.length] ?? ''}`,
    birthDate: new Date(Date.UTC(1930 + (n % 90), n % 12, 1 + (n % 28))).toISOString().slice(0, 10),
    nationalId: String(1_000_000_000_000 + n),
    phone: `+22177${String(1_000_000 + (n % 8_999_999))}`,
    email: `patient.${n}@example.org`,
  };
}
