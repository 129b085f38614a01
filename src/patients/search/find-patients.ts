import type { Repository, SelectQueryBuilder } from 'typeorm';
import { isKnownIn, PATIENT_P } from '../../hosts/known-in-region.js';
import { badCursor, encodeCursor, type Page, readCursor } from '../../http/page.js';
import type { Patient } from '../patient.entity.js';
import { type Conditions, conditionsOf, type FoldedTexts } from './conditions.js';
import type { PatientQuery } from './patient-query.dto.js';
import { similarWords } from './similar-words.js';
import { type Sort, sortOf } from './sorts.js';

/**
 * One page of the patients that `query` asks for: those that one region knows or, without `region`, all. When its words
 * find nobody, they may have two slips in them.
 */
export async function findPatients(
  patients: Repository<Patient>,
  query: PatientQuery,
  scope: { region?: string },
): Promise<Page<Patient>> {
  const texts = await folded(patients, query);
  const found = await pageOf(patients, query, scope, conditionsOf(query, texts));
  if (found.items.length > 0) return found;
  const similar = await similarWords(patients, texts.q);
  return similar ? pageOf(patients, query, scope, conditionsOf(query, texts, similar)) : found;
}

async function pageOf(
  patients: Repository<Patient>,
  query: PatientQuery,
  { region }: { region?: string },
  { all, relevance, near }: Conditions,
): Promise<Page<Patient>> {
  const sort = sortOf(query.sort, { relevance, near });
  const matching = patients.createQueryBuilder('p');
  if (region !== undefined) matching.andWhere(isKnownIn(':region', PATIENT_P), { region });
  for (const { sql, parameters } of all) matching.andWhere(sql, parameters);
  const total = query.total ? { total: await count(matching) } : {};
  return { ...(await page(matching.clone(), sort, query)), ...total };
}

/** Rows are ordered by values that the cursor repeats, so what is inserted meanwhile shifts nothing. */
async function page(found: SelectQueryBuilder<Patient>, sort: Sort, { cursor, limit }: PatientQuery) {
  const direction = sort.descending ? 'DESC' : 'ASC';
  sort.keys.forEach(({ expression }, index) => {
    // In parentheses, or TypeORM takes a bare column for the entity's own and leaves it out there.
    found.addSelect(`(${expression})`, `key${index}`).addOrderBy(`key${index}`, direction);
    found.addSelect(`(${expression})::text`, `cursor${index}`);
  });
  if (cursor !== undefined) goOnAfter(found, sort, cursor);
  const { entities, raw } = await found.limit(limit + 1).getRawAndEntities<Record<string, string>>();
  const items = entities.slice(0, limit);
  const last = entities.length > limit ? raw[limit - 1] : undefined;
  const values = last && [sort.name, ...sort.keys.map((_, index) => last[`cursor${index}`])];
  return { items, nextCursor: values ? encodeCursor(values) : null };
}

function goOnAfter(
  found: SelectQueryBuilder<Patient>,
  { name, keys, descending }: Sort,
  cursor: string,
): void {
  const [sortedBy, ...values] = readCursor(cursor, ['text', ...keys.map(({ type }) => type)]);
  if (sortedBy !== name) throw badCursor();
  const row = keys.map(({ expression }) => expression).join(', ');
  const after = keys.map(({ type }, index) => `CAST(:after${index} AS ${type})`).join(', ');
  const parameters = Object.fromEntries(values.map((value, index) => [`after${index}`, value]));
  found.andWhere(`(${row}) ${descending ? '<' : '>'} (${after})`, parameters);
}

async function count(matching: SelectQueryBuilder<Patient>): Promise<number> {
  const row = await matching.clone().select('count(*)', 'total').getRawOne<{ total: string }>();
  return Number(row?.total);
}

/** The database folds the texts that it is asked for by the function that folded what it indexed. */
async function folded(patients: Repository<Patient>, query: PatientQuery): Promise<FoldedTexts> {
  const { q = '', familyName = '', givenNames = '' } = query;
  if (q + familyName + givenNames === '') return { q, familyName, givenNames };
  const [texts] = await patients.query<[FoldedTexts]>(
    `SELECT name_form($1) AS q, name_form($2) AS "familyName", name_form($3) AS "givenNames"`,
    [q, familyName, givenNames],
  );
  return texts;
}
