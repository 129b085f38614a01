import type { FindOptionsWhere } from 'typeorm';
import { Problem } from '../http/problem.js';
import type { Region } from './region.entity.js';

const CODE = /^[A-Z]{2,4}$/;
const ID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/**
 * Which region a path names: by its id, or by its code, which a node that central has refused knows although it knows
 * no region. Throws a 400 {@link Problem} for what is neither.
 */
export function regionKey(text: string): FindOptionsWhere<Region> {
  if (CODE.test(text)) return { code: text };
  if (ID.test(text)) return { id: text };
  throw new Problem(400, 'malformed-input', 'The request cannot be understood', {
    errors: [{ path: 'id', message: 'is neither the id nor the code of a region' }],
  });
}
