import type { FieldError } from '../../http/problem.js';
import { toE164 } from '../../patients/fields/phone.js';
import type { SourceKey } from '../import-line.js';
import { mapAddress, mapLocation, placeName } from './map-address.js';
import { officialName, usedName } from './map-name.js';
import { partialDate } from './partial-date.js';
import { codes, extension, type Json, object, objects, text } from './resource.js';

/** A patient in the API's fields, not checked yet. Fields that the resource does not have are undefined. */
export interface MappedPatient {
  readonly keys: readonly [SourceKey, ...SourceKey[]];
  readonly fields: Readonly<Record<string, unknown>>;
  readonly warnings: readonly FieldError[];
}

/** In order: FHIR's v2-0203 codes for a social security number and a national person identifier. */
const NATIONAL_ID_TYPES = ['NI', 'NNSEN', 'SS', 'NH'];
const BIRTH_PLACE = 'http://hl7.org/fhir/StructureDefinition/patient-birthPlace';

/**
 * What MedLink keeps of a FHIR R4 `Patient`. `source` names the sender where the resource itself does
 * not. `undefined`: it has no id, so a second import could not know it again.
 *
 * Not kept: marital status, communication, race and other extensions, photos, links, the general
 * practitioner, further names, telecoms and addresses, and a maiden name. `official` is the family name
 * and `usual` the used one, as in the French core profile.
 */
export function mapPatient(resource: Json, source: string): MappedPatient | undefined {
  const id = text(resource['id']);
  if (id === undefined) return undefined;
  const warnings: FieldError[] = [];
  const address = mapAddress(resource, warnings);
  const country = address?.country;
  return {
    keys: keysOf(resource, id, source),
    fields: {
      ...officialName(resource),
      usedName: usedName(resource),
      ...birth(resource),
      sex: text(resource['gender']) ?? 'unknown',
      birthPlace: placeName(object(extension(resource, BIRTH_PLACE)['valueAddress'])),
      nationalId: nationalId(resource),
      phone: phone(resource, country, warnings),
      email: telecoms(resource, 'email')[0],
      address,
      location: mapLocation(resource),
      emergencyContact: emergencyContact(resource, country, warnings),
      deceasedAt: deceasedAt(resource, warnings),
    },
    warnings,
  };
}

/**
 * The identifier under which the sender itself keeps the patient is the one that repeats the resource's
 * id. References (`Patient/123`) hold only the id, so that is a key as well.
 */
function keysOf(resource: Json, id: string, source: string): [SourceKey, ...SourceKey[]] {
  const system = objects(resource['identifier'])
    .filter(({ value }) => value === id)
    .flatMap((identifier) => text(identifier['system']) ?? [])[0];
  const byReference = referenceKey(id, source);
  return system === undefined ? [byReference] : [{ system, value: id }, byReference];
}

/** The key of a patient that is only referred to. */
export function referenceKey(id: string, source: string): SourceKey {
  return { system: `${source}:Patient`, value: id };
}

function birth(resource: Json): object {
  const value = resource['birthDate'];
  return typeof value === 'string' ? partialDate(value) : { birthDate: value };
}

function nationalId(resource: Json): string | undefined {
  const identifiers = objects(resource['identifier']);
  return NATIONAL_ID_TYPES.flatMap((type) =>
    identifiers
      .filter((identifier) => codes(identifier['type']).includes(type))
      .flatMap(({ value }) => text(value) ?? []),
  )[0];
}

function deceasedAt(resource: Json, warnings: FieldError[]): unknown {
  if (resource['deceasedBoolean'] === true)
    warnings.push({
      path: 'deceasedBoolean',
      message: 'a death without its time cannot be kept; it was left out',
    });
  return resource['deceasedDateTime'];
}

/** The first number that can be one; a national number is read as one of the country that the patient lives in. */
function phone(holder: Json, country: string | undefined, warnings: FieldError[]): string | undefined {
  const numbers = telecoms(holder, 'phone');
  for (const number of numbers) {
    const international = toE164(number, country);
    if (international !== undefined) return international;
  }
  if (numbers.length > 0)
    warnings.push({ path: 'telecom', message: 'no phone number could be understood; it was left out' });
  return undefined;
}

/** The sender's order of preference is `rank`, where it is given; old ones are left out. */
function telecoms(holder: Json, system: string): string[] {
  return objects(holder['telecom'])
    .filter((telecom) => telecom['system'] === system && telecom['use'] !== 'old')
    .sort((a, b) => rank(a) - rank(b))
    .flatMap(({ value }) => text(value) ?? []);
}

function rank({ rank: value }: Json): number {
  return typeof value === 'number' ? value : Number.MAX_SAFE_INTEGER;
}

/** The contact with the role "emergency contact" (C), else the first one. */
function emergencyContact(
  resource: Json,
  country: string | undefined,
  warnings: FieldError[],
): object | undefined {
  const contacts = objects(resource['contact']);
  const contact =
    contacts.find(({ relationship }) => objects(relationship).some((role) => codes(role).includes('C'))) ??
    contacts[0];
  if (!contact) return undefined;
  const name = object(contact['name']);
  const { familyName, givenNames } = officialName({ name: [name] });
  const roles = objects(contact['relationship']);
  return {
    name: text(name['text']) ?? text([givenNames, familyName].filter(Boolean).join(' ')),
    phone: phone(contact, country, warnings),
    relationship: roles.flatMap(
      (role) => text(role['text']) ?? objects(role['coding']).flatMap(({ display }) => text(display) ?? []),
    )[0],
  };
}
