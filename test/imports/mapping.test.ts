import fc from 'fast-check';
import { headerProblems } from '../../src/imports/csv/columns.js';
import { mapRow } from '../../src/imports/csv/map-row.js';
import { mapAllergy } from '../../src/imports/fhir/map-allergy.js';
import { mapPatient } from '../../src/imports/fhir/map-patient.js';
import { partialDate } from '../../src/imports/fhir/partial-date.js';
import { mergedFields } from '../../src/imports/writing/merge-fields.js';

const mapped = (more: object) => mapPatient({ resourceType: 'Patient', id: '7', ...more }, 'fann')!;
const fieldsOf = (more: object): any => mapped(more).fields;

describe('a FHIR patient', () => {
  it('is known by the identifier that repeats its id, and by its id', () => {
    const identifier = [
      { system: 'urn:cards', value: '99' },
      { system: 'https://fann.example/patients', value: '7' },
    ];
    expect(mapped({ identifier }).keys).toEqual([
      { system: 'https://fann.example/patients', value: '7' },
      { system: 'fann:Patient', value: '7' },
    ]);
    expect(mapped({}).keys).toEqual([{ system: 'fann:Patient', value: '7' }]);
    expect(mapPatient({ resourceType: 'Patient' }, 'fann')).toBeUndefined();
  });

  it('has the official name, and goes by the usual one', () => {
    const official = { use: 'official', family: 'Diop', given: ['Awa', 'Marième'] };
    const maiden = { use: 'maiden', family: 'Ba', given: ['Awa'] };
    const usual = { use: 'usual', family: 'Sow' };
    expect(fieldsOf({ name: [maiden, usual, official] })).toMatchObject({
      familyName: 'Diop',
      givenNames: 'Awa Marième',
      usedName: 'Sow',
    });
    expect(fieldsOf({ name: [official, { ...usual, family: 'Diop' }, maiden] }).usedName).toBeUndefined();
    expect(fieldsOf({ name: [maiden, { family: 'Fall' }] }).familyName).toBe('Fall');
    expect(fieldsOf({}).familyName).toBeUndefined();
  });

  it.each([
    ['1987', '1987-01-01', 'year'],
    ['1987-03', '1987-03-01', 'month'],
    ['1987-03-14', '1987-03-14', 'day'],
    ['14/03/1987', '14/03/1987', 'day'],
  ])('born %s has the birth date %s, known to the %s', (value, birthDate, birthDatePrecision) => {
    expect(partialDate(value)).toEqual({ birthDate, birthDatePrecision });
  });

  it('has the phone number of the country that they live in', () => {
    const telecom = [
      { system: 'email', value: 'awa@example.org' },
      { system: 'phone', value: '555-806-9773', use: 'home' },
    ];
    expect(fieldsOf({ telecom, address: [{ country: 'US' }] })).toMatchObject({
      phone: '+15558069773',
      email: 'awa@example.org',
    });
    const abroad = mapped({ telecom });
    expect(abroad.fields.phone).toBeUndefined();
    expect(abroad.warnings).toEqual([{ path: 'telecom', message: expect.any(String) }]);
  });

  it('lives at the home address, at its place on earth', () => {
    const degrees = (url: string, valueDecimal: number) => ({ url, valueDecimal });
    const home = {
      use: 'home',
      line: ['12 rue Félix Faure', 'Porte 3'],
      city: 'Dakar',
      state: 'Dakar',
      country: 'sn',
      extension: [
        {
          url: 'http://hl7.org/fhir/StructureDefinition/geolocation',
          extension: [degrees('latitude', 14.67), degrees('longitude', -17.44)],
        },
      ],
    };
    expect(fieldsOf({ address: [{ use: 'work', city: 'Thiès' }, home] })).toMatchObject({
      address: { line: '12 rue Félix Faure, Porte 3', city: 'Dakar', district: 'Dakar', country: 'SN' },
      location: { latitude: 14.67, longitude: -17.44 },
    });
    const unclear = mapped({ address: [{ city: 'Dakar', country: 'Sénégal' }] });
    expect(unclear.fields.address).toEqual({ city: 'Dakar' });
    expect(unclear.warnings).toEqual([{ path: 'address.country', message: expect.any(String) }]);
  });

  it('has a national id, a birth place, a death and somebody to call', () => {
    const type = (code: string) => ({ coding: [{ code }] });
    const url = 'http://hl7.org/fhir/StructureDefinition/patient-birthPlace';
    expect(
      fieldsOf({
        identifier: [
          { type: type('MR'), value: 'chart' },
          { type: type('SS'), value: '999-53-8547' },
        ],
        extension: [{ url, valueAddress: { city: 'Saint-Louis', country: 'SN' } }],
        deceasedDateTime: '2020-01-01T10:00:00Z',
        contact: [
          { name: { text: 'Nobody' } },
          { relationship: [{ ...type('C'), text: 'époux' }], name: { family: 'Sow', given: ['Moussa'] } },
        ],
      }),
    ).toMatchObject({
      nationalId: '999-53-8547',
      birthPlace: 'Saint-Louis, SN',
      deceasedAt: '2020-01-01T10:00:00Z',
      emergencyContact: { name: 'Moussa Sow', relationship: 'époux' },
    });
    expect(mapped({ deceasedBoolean: true }).warnings).toHaveLength(1);
  });

  it('can be any JSON at all without the mapping failing', () => {
    const members = [
      'identifier',
      'name',
      'telecom',
      'address',
      'contact',
      'extension',
      'birthDate',
      'gender',
    ];
    const resource = fc.record(Object.fromEntries(members.map((name) => [name, fc.jsonValue()])));
    fc.assert(fc.property(resource, (any) => mapped(any as object).fields !== undefined));
  });
});

describe('a FHIR allergy', () => {
  const patient = { reference: 'Patient/7' };
  const code = { coding: [{ display: 'Aspirin' }] };

  it('is the text of its code, or what its coding shows', () => {
    const key = { system: 'fann:Patient', value: '7' };
    expect(mapAllergy({ patient, code }, 'fann')).toEqual({ patient: key, text: 'Aspirin' });
    expect(mapAllergy({ patient, code: { ...code, text: 'Aspirine' } }, 'fann')).toEqual({
      patient: key,
      text: 'Aspirine',
    });
  });

  it.each(['inactive', 'resolved', 'refuted', 'entered-in-error'])('that is %s is left out', (state) => {
    const status = { coding: [{ code: state }] };
    expect(mapAllergy({ patient, code, clinicalStatus: status }, 'fann')).toHaveProperty('skipped');
    expect(mapAllergy({ patient, code, verificationStatus: status }, 'fann')).toHaveProperty('skipped');
  });

  it('of nobody, or to nothing, is an error', () => {
    expect(mapAllergy({ code }, 'fann')).toMatchObject({ path: 'patient.reference' });
    expect(mapAllergy({ patient }, 'fann')).toMatchObject({ path: 'code' });
  });
});

describe('a CSV row', () => {
  const header = ['familyName', 'birthDate', 'address.city', 'location.latitude', 'allergies'];

  it('becomes the fields of the API; an empty cell says nothing', () => {
    const { fields } = mapRow(header, ['Diop', '1987', 'Dakar', '14.67', 'Latex| Kiwi |Latex'], 'file');
    expect(fields).toMatchObject({
      familyName: 'Diop',
      birthDate: '1987-01-01',
      birthDatePrecision: 'year',
      address: { city: 'Dakar' },
      location: { latitude: 14.67 },
      allergies: ['Latex', 'Kiwi'],
    });
    expect(mapRow(header, ['Diop', '1987', ' ', '', ''], 'file').fields).not.toHaveProperty('address');
  });

  it('without an id is known by all that it says', () => {
    const key = (city: string) => mapRow(header, ['Diop', '1987', city, '', ''], 'file').keys[0].value;
    expect(key('Dakar')).toBe(key('Dakar'));
    expect(key('Dakar')).not.toBe(key('Thiès'));
  });

  it('has a header that names every required field, each once', () => {
    const required = ['familyName', 'givenNames', 'birthDate', 'sex'];
    expect(headerProblems([...required, 'sourceId', 'address.city'])).toEqual([]);
    expect(headerProblems([...required, 'sex'])).toEqual(['"sex" is there more than once']);
    expect(headerProblems(required.slice(1))).toEqual(['"familyName" is missing']);
    expect(headerProblems([...required, 'id'])).toEqual(['column 5 is not one of the known names']);
  });
});

describe('what a source says of a patient who is known', () => {
  const current: any = { familyName: 'Diop', sex: 'female', phone: '+221771234567', allergies: ['Latex'] };

  it('changes what differs, and nothing that it does not mention', () => {
    const imported: any = { familyName: 'Diop', phone: '+221770000000', allergies: ['Kiwi'] };
    expect(mergedFields(current, imported)).toEqual({ phone: '+221770000000', allergies: ['Latex', 'Kiwi'] });
    expect(mergedFields(current, { familyName: 'Diop', sex: 'unknown', phone: undefined } as any)).toEqual(
      {},
    );
  });
});
