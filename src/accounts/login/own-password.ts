import { Injectable, Logger } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import type { ChangeContext } from '../../routing/change-context.js';
import { DataRouter } from '../../routing/data-router.js';
import { PasswordHasher } from '../passwords/password-hasher.js';
import { refuseBadPassword } from '../passwords/password-rules.js';
import type { SignedIn } from '../principal.js';
import { SessionWriter } from '../sessions/session.writer.js';
import { User } from '../users/user.entity.js';
import type { ChangePassword } from './auth.dto.js';
import { type Attempt, LoginThrottle } from './login-throttle.js';

/** How people change the password that an administrator gave them. */
@Injectable()
export class OwnPassword {
  private readonly logger = new Logger('Accounts');

  constructor(
    private readonly data: DataRouter,
    private readonly passwords: PasswordHasher,
    private readonly throttle: LoginThrottle,
    private readonly sessions: SessionWriter,
  ) {}

  /** A stolen session must not be a way to guess the password: the attempts count like logins. */
  async change(
    { id, email, sessionId }: SignedIn,
    { currentPassword, newPassword }: ChangePassword,
    context: ChangeContext,
    address: string,
  ): Promise<Attempt<true>> {
    refuseBadPassword(newPassword, email, 'newPassword');
    return this.throttle.attempt(email, address, async () => {
      const { passwordHash } = await this.data.forRead(User).findOneByOrFail({ id });
      if (!(await this.passwords.verify(passwordHash, currentPassword))) return undefined;
      const replacement = await this.passwords.hash(newPassword);
      await this.data.transaction(User, context, (manager) =>
        this.replace(manager, id, replacement, sessionId),
      );
      this.logger.log({ event: 'password-changed', user: id, requestId: context.requestId });
      return true as const;
    });
  }

  private async replace(
    manager: EntityManager,
    id: string,
    passwordHash: string,
    kept: string,
  ): Promise<void> {
    const now = new Date();
    await manager.update(User, { id }, { passwordHash, updatedAt: now, version: () => 'version + 1' });
    await this.sessions.endAllOf(manager, id, now, kept);
  }
}
