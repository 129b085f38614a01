import type { Condition } from './condition.js';
import { beginning, hasWordLike, literal, namesWith } from './name-patterns.js';
import { boxAround, DISTANCE_KM, readPoint } from './near.js';
import type { PatientQuery } from './patient-query.dto.js';
import { NAME_ORDER } from './sorts.js';
import { matchSimilar, matchWords, wordsOf } from './words.js';

const DEFAULT_RADIUS_KM = 10;

/** The texts of a query in the form of the database's `name_form`. */
export interface FoldedTexts {
  readonly q: string;
  readonly familyName: string;
  readonly givenNames: string;
}

/** What a query asks for. `relevance` is an SQL expression, greater for better matches; absent without `q`. */
export interface Conditions {
  readonly all: readonly Condition[];
  readonly relevance?: string;
  readonly near: boolean;
}

/** The conditions of `query`; with `similar`, its words mean one of those each. */
export function conditionsOf(
  query: PatientQuery,
  folded: FoldedTexts,
  similar?: readonly (readonly string[])[],
): Conditions {
  const exact = query.q === undefined ? undefined : matchWords(query.q, folded.q);
  const words = similar ? matchSimilar(similar) : exact;
  const all = [
    ...(words ? [words.match] : []),
    ...familyNameBegins(query.familyName, folded.familyName),
    ...givenNamesBegin(query.givenNames, folded.givenNames),
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

function familyNameBegins(wanted: string | undefined, folded: string): Condition[] {
  if (wanted === undefined) return [];
  const parameters = { familyName: `${literal(wordsOf(folded).join(' '))}%` };
  return [{ sql: `${NAME_ORDER} LIKE :familyName`, parameters }];
}

/** Each word begins one of the given names. */
function givenNamesBegin(wanted: string | undefined, folded: string): Condition[] {
  if (wanted === undefined) return [];
  return wordsOf(folded).map((word, index) => ({
    // The second says the same of all names, whose words are indexed.
    sql: `' ' || name_form(p.given_names) LIKE :givenName${index} AND ${hasWordLike(`ARRAY[:givenWord${index}]`)}`,
    parameters: { [`givenName${index}`]: namesWith(word), [`givenWord${index}`]: beginning(word) },
  }));
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
