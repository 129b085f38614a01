import { medicalIdGuesses } from './medical-id-guesses.js';
import { beginning, literal, oneSlipAway } from './name-patterns.js';
import { boxAround, DISTANCE_KM, readPoint } from './near.js';
import type { PatientQuery } from './patient-query.dto.js';

const DEFAULT_RADIUS_KM = 10;
const NAMES = 'patient_names(p.family_name, p.used_name, p.given_names)';

/** The texts of a query in the form of the database's `name_form`. */
export interface FoldedTexts {
  readonly q: string;
  readonly familyName: string;
  readonly givenNames: string;
}

/** SQL over the alias `p`, with named parameters. */
export interface Condition {
  readonly sql: string;
  readonly parameters: Readonly<Record<string, unknown>>;
}

/** What a query asks for. `relevance` is an SQL expression, 1 for matches without a slip, else 0. */
export interface Conditions {
  readonly all: readonly Condition[];
  readonly relevance?: string;
  readonly near: boolean;
}

/** The conditions of `query`. */
export function conditionsOf(query: PatientQuery, folded: FoldedTexts): Conditions {
  const words = query.q === undefined ? undefined : wordConditions(query.q, folded.q);
  const all = [
    ...(words ? [words.match] : []),
    ...beginningOf('family_name', folded.familyName, query.familyName),
    ...beginningOf('given_names', folded.givenNames, query.givenNames),
    ...equal('birth_date', query.birthDate),
    ...equal('sex', query.sex),
    ...equal('medical_id', query.medicalId),
    ...equal('national_id', query.nationalId),
    ...equal('phone', query.phone),
    ...nearby(query),
    ...(query.updatedSince == null
      ? []
      : [{ sql: 'p.updated_at >= :updatedSince', parameters: { updatedSince: query.updatedSince } }]),
  ];
  return { all, relevance: words?.relevance, near: query.near !== undefined };
}

/** Every word somewhere in the names, or the whole text as a medical id. */
function wordConditions(q: string, folded: string): { match: Condition; relevance: string } {
  const words = folded.split(' ').filter((word) => word !== '');
  const loose = words.map((word) => [beginning(word), ...oneSlipAway(word)]);
  const inNames = loose.map((_, index) => `${NAMES} LIKE ANY (:qWord${index})`).join(' AND ');
  const exactNames = words.length > 0 ? [`${NAMES} LIKE ALL (:qBeginnings)`] : [];
  const ids = idBeginnings(q);
  // One LIKE each: a B-tree looks up the beginning that one pattern has, but not those of an array.
  const isId = ids.map((_, index) => `p.medical_id LIKE :qId${index}`);
  const exact = [...exactNames, ...isId];
  const any = [...(words.length > 0 ? [`(${inNames})`] : []), ...isId, 'p.medical_id = ANY (:qGuesses)'];
  return {
    match: {
      sql: `(${any.join(' OR ')})`,
      parameters: {
        ...Object.fromEntries(loose.map((patterns, index) => [`qWord${index}`, patterns])),
        ...Object.fromEntries(ids.map((pattern, index) => [`qId${index}`, pattern])),
        qBeginnings: words.map(beginning),
        qGuesses: medicalIdGuesses(q),
      },
    },
    relevance: exact.length > 0 ? `(${exact.join(' OR ')})::int` : '0',
  };
}

/** Medical ids are stored as given, and generated in capitals. One letter of a name is no medical id. */
function idBeginnings(q: string): string[] {
  const text = q.trim();
  if (!/^[A-Za-z0-9._/-]{3,64}$/.test(text)) return [];
  return [...new Set([text, text.toUpperCase()])].map((id) => `${literal(id)}%`);
}

function beginningOf(column: string, folded: string, wanted: string | undefined): Condition[] {
  if (wanted === undefined) return [];
  const pattern = folded.trimStart();
  const own = {
    sql: `name_form(p.${column}) COLLATE "C" LIKE :${column}`,
    parameters: { [column]: `${literal(pattern)}%` },
  };
  // The same, in a form that the trigrams of all names can find.
  const anywhere = {
    sql: `${NAMES} LIKE :${column}Word`,
    parameters: { [`${column}Word`]: beginning(pattern) },
  };
  return column === 'given_names' ? [own, anywhere] : [own];
}

function equal(column: string, value: string | null | undefined): Condition[] {
  return value == null ? [] : [{ sql: `p.${column} = :${column}`, parameters: { [column]: value } }];
}

function nearby({ near, radiusKm }: PatientQuery): Condition[] {
  const point = near === undefined ? undefined : readPoint(near);
  if (!point) return [];
  const radius = radiusKm ?? DEFAULT_RADIUS_KM;
  const box = boxAround(point, radius);
  const latitude = `(p.location -> 'latitude')::float8 BETWEEN :south AND :north`;
  const longitude =
    box.west === undefined ? '' : ` AND (p.location -> 'longitude')::float8 BETWEEN :west AND :east`;
  return [
    {
      sql: `p.location IS NOT NULL AND ${latitude}${longitude} AND ${DISTANCE_KM} <= :radius`,
      parameters: { ...box, ...point, radius },
    },
  ];
}
