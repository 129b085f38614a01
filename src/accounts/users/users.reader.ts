import { Injectable } from '@nestjs/common';
import type { FindOptionsWhere } from 'typeorm';
import { MoreThan } from 'typeorm';
import { encodeCursor, type Page, type PageQuery, readCursor } from '../../http/page.js';
import { Problem } from '../../http/problem.js';
import { DataRouter } from '../../routing/data-router.js';
import type { Principal } from '../principal.js';
import { maySee } from './user-scope.js';
import { User } from './user.entity.js';

@Injectable()
export class UsersReader {
  constructor(private readonly data: DataRouter) {}

  /** The accounts that `caller` may know of, oldest first. */
  async list(caller: Principal, { limit, cursor, total }: PageQuery): Promise<Page<User>> {
    const users = this.data.forRead(User);
    const visible: FindOptionsWhere<User> = caller.region === null ? {} : { region: caller.region };
    const after = cursor === undefined ? {} : { id: MoreThan(readCursor(cursor, ['uuid'])[0]!) };
    const found = await users.find({
      where: { ...visible, ...after },
      order: { id: 'ASC' },
      take: limit + 1,
    });
    const items = found.slice(0, limit);
    const nextCursor = found.length > limit ? encodeCursor([items.at(-1)!.id]) : null;
    return { items, nextCursor, ...(total ? { total: await users.countBy(visible) } : {}) };
  }

  /** Throws a 404 {@link Problem} when there is none, or none that `caller` may know of. */
  async get(caller: Principal, id: string): Promise<User> {
    const user = await this.data.forRead(User).findOneBy({ id });
    if (!user || !maySee(caller, user)) throw userNotFound();
    return user;
  }
}

export function userNotFound(): Problem {
  return new Problem(404, 'not-found', 'There is no such account');
}
