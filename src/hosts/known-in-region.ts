/** SQL expressions of a patient's id and of the code of their home region. */
export interface PatientExpressions {
  readonly id: string;
  readonly home: string;
}

/** How the patients of a query that calls them `p` are told. */
export const PATIENT_P: PatientExpressions = { id: 'p.id', home: 'p.region' };

/**
 * SQL: whether the people of a region may know of a patient. It is the patient's home, or it holds their file to
 * give care. `region` is an SQL expression of its code.
 */
export function isKnownIn(region: string, { id, home }: PatientExpressions): string {
  return `(${home} = ${region} OR EXISTS (SELECT FROM hosts h WHERE h.patient_id = ${id} AND h.region = ${region}))`;
}
