import type { SourceKey } from '../import-line.js';
import { referenceKey } from './map-patient.js';
import { codes, type Json, object, objects, text } from './resource.js';

export type MappedAllergy =
  | { readonly patient: SourceKey; readonly text: string }
  | { readonly skipped: string }
  | { readonly path: string; readonly message: string };

const NOT_IN_FORCE = ['inactive', 'resolved', 'refuted', 'entered-in-error'];

/** What MedLink keeps of a FHIR R4 `AllergyIntolerance`: its text, as long as it is held to be true. */
export function mapAllergy(resource: Json, source: string): MappedAllergy {
  const states = [...codes(resource['clinicalStatus']), ...codes(resource['verificationStatus'])];
  if (states.some((state) => NOT_IN_FORCE.includes(state))) {
    return { skipped: 'AllergyIntolerance that is inactive, resolved, refuted or entered in error' };
  }
  const id = /^(?:.*\/)?Patient\/([^/]+)$/.exec(text(object(resource['patient'])['reference']) ?? '')?.[1];
  if (id === undefined)
    return { path: 'patient.reference', message: 'must refer to a patient, like Patient/123' };
  const named = nameOf(object(resource['code']));
  if (named === undefined) return { path: 'code', message: 'must have a text or a coding with its display' };
  return { patient: referenceKey(id, source), text: named };
}

function nameOf(code: Json): string | undefined {
  return text(code['text']) ?? objects(code['coding']).flatMap(({ display }) => text(display) ?? [])[0];
}
