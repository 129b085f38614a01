import type { ConnectionRouter, EntityClass, RoutedNode } from '../routing/connection-router.js';
import { RefreshToken } from './sessions/refresh-token.entity.js';
import { Session } from './sessions/session.entity.js';
import { User } from './users/user.entity.js';

export const ACCOUNT_ENTITIES: readonly EntityClass[] = [User, Session, RefreshToken];

/** Accounts belong to the node: people sign in while central is away. */
export class AccountsRouter implements ConnectionRouter {
  constructor(private readonly node: RoutedNode) {}

  forRead(entity: EntityClass): string | undefined {
    return ACCOUNT_ENTITIES.includes(entity) ? this.node.home : undefined;
  }

  forWrite(entity: EntityClass): string | undefined {
    return ACCOUNT_ENTITIES.includes(entity) ? this.node.home : undefined;
  }

  allowMigrate(connection: string, entity: EntityClass): boolean | undefined {
    return ACCOUNT_ENTITIES.includes(entity) ? connection === this.node.home : undefined;
  }
}
