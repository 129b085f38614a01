import type { EntityManager } from 'typeorm';
import { uuidv7 } from 'uuidv7';
import { User } from './user.entity.js';

/** An account with all that is known of a new one. */
export function newUser(fields: Pick<User, 'email' | 'fullName' | 'role' | 'region' | 'passwordHash'>): User {
  const now = new Date();
  return { ...fields, id: uuidv7(), disabled: false, version: 1, createdAt: now, updatedAt: now };
}

/** False, and nothing written, when the e-mail address belongs to an account already. */
export async function insertUser(manager: EntityManager, user: User): Promise<boolean> {
  const insert = manager.createQueryBuilder().insert().into(User).values(user).orIgnore().returning('id');
  const { raw } = (await insert.execute()) as { raw: unknown[] };
  return raw.length > 0;
}
