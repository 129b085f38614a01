const FHIR_PATIENT = {
  resourceType: 'Patient',
  id: 'pat-1042',
  identifier: [{ system: 'https://hopital-fann.example/patients', value: 'pat-1042' }],
  name: [{ use: 'official', family: "N'Diaye", given: ['Aïssatou', 'Marième'] }],
  gender: 'female',
  birthDate: '1987-03-14',
  telecom: [{ system: 'phone', value: '+221771234567' }],
  address: [{ use: 'home', city: 'Dakar', country: 'SN' }],
};

const CSV = `sourceId,familyName,givenNames,birthDate,sex,phone,address.city
1043,Sow,Moussa,1990-05,male,+221776543210,Thiès
`;

const TEXT = { type: 'string' as const };
const ndjson = {
  schema: TEXT,
  examples: { patient: { summary: 'One FHIR Patient', value: `${JSON.stringify(FHIR_PATIENT)}\n` } },
};
const csv = { schema: TEXT, examples: { patient: { summary: 'A header and one patient', value: CSV } } };
const form = {
  schema: {
    type: 'object' as const,
    required: ['file'],
    properties: {
      file: {
        type: 'string' as const,
        format: 'binary',
        description: 'Named .ndjson, .jsonl or .csv, with .gz when it is compressed. There may be several.',
      },
    },
  },
};

/** The bodies of an import, by media type. Every example is accepted as it stands. */
export const IMPORT_BODIES = {
  'application/fhir+ndjson': ndjson,
  'application/x-ndjson': ndjson,
  'application/ndjson': ndjson,
  'application/jsonl': ndjson,
  'text/csv': csv,
  'multipart/form-data': form,
};
