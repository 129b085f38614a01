import { isISO31661Alpha2 } from 'class-validator';
import type { FieldError } from '../../http/problem.js';
import type { Address, Location } from '../../patients/patient-parts.js';
import { extension, type Json, object, objects, text, texts } from './resource.js';

const GEOLOCATION = 'http://hl7.org/fhir/StructureDefinition/geolocation';
const USES = ['home', undefined, 'temp', 'work'];

type MappedAddress = { [Part in keyof Address]?: string };

/** The home address. FHIR's country may be any text; one that is no ISO 3166 alpha-2 code is left out. */
export function mapAddress(resource: Json, warnings: FieldError[]): MappedAddress | undefined {
  const address = homeAddress(resource);
  if (!address) return undefined;
  const country = text(address['country'])?.trim().toUpperCase();
  const known = country === undefined || isISO31661Alpha2(country);
  if (!known)
    warnings.push({ path: 'address.country', message: 'is no ISO 3166 alpha-2 code; it was left out' });
  const parts: MappedAddress = {
    line: text(texts(address['line']).join(', ')),
    city: text(address['city']),
    district: text(address['district']) ?? text(address['state']),
    postalCode: text(address['postalCode']),
    country: known ? country : undefined,
  };
  return Object.values(parts).some((part) => part !== undefined) ? parts : undefined;
}

/** Where the home address is, by the extension that FHIR has for it. */
export function mapLocation(resource: Json): Partial<Record<keyof Location, unknown>> | undefined {
  const geolocation = extension(homeAddress(resource) ?? {}, GEOLOCATION);
  const degrees = (url: string) => extension(geolocation, url)['valueDecimal'];
  const [latitude, longitude] = [degrees('latitude'), degrees('longitude')];
  return latitude === undefined && longitude === undefined ? undefined : { latitude, longitude };
}

/** A place as people write it: `Novosibirsk, Novosibirsk Oblast, RU`. */
export function placeName(address: Json): string | undefined {
  const parts = ['city', 'state', 'country'].flatMap((part) => text(address[part]) ?? []);
  return text(address['text']) ?? text(parts.join(', '));
}

function homeAddress(resource: Json): Json | undefined {
  const addresses = objects(resource['address']);
  const found = USES.flatMap((use) => addresses.filter((address) => address['use'] === use))[0];
  return found && object(found);
}
