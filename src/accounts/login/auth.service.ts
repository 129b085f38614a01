import { Injectable, Logger } from '@nestjs/common';
import { DataRouter } from '../../routing/data-router.js';
import { PasswordHasher } from '../passwords/password-hasher.js';
import type { SignedIn } from '../principal.js';
import { type OpenSession, type RefreshOutcome, SessionWriter } from '../sessions/session.writer.js';
import { Session } from '../sessions/session.entity.js';
import { ACCESS_TOKEN_LIFETIME, AccessTokens } from '../tokens/access-tokens.js';
import { viewOf } from '../users/user.dto.js';
import { User } from '../users/user.entity.js';
import type { Credentials, TokenPair } from './auth.dto.js';
import { type Attempt, LoginThrottle } from './login-throttle.js';

@Injectable()
export class AuthService {
  private readonly logger = new Logger(AuthService.name);

  constructor(
    private readonly data: DataRouter,
    private readonly passwords: PasswordHasher,
    private readonly throttle: LoginThrottle,
    private readonly sessions: SessionWriter,
    private readonly tokens: AccessTokens,
  ) {}

  /** `address`: where the attempt comes from. */
  async login({ email, password }: Credentials, address: string): Promise<Attempt<TokenPair>> {
    const account = email.trim().toLowerCase();
    const attempt = await this.throttle.attempt(account, address, () => this.open(account, password));
    if (attempt.outcome !== 'accepted')
      this.logger.warn({ event: 'login-refused', outcome: attempt.outcome, address });
    return attempt;
  }

  /** `undefined` when the token is not good, or no longer. */
  async refresh(refreshToken: string): Promise<TokenPair | undefined> {
    const outcome = await this.data.transaction(Session, { actor: 'refresh' }, (manager) =>
      this.sessions.refresh(manager, refreshToken, new Date()),
    );
    if ('session' in outcome) return this.pairOf(outcome.session);
    this.reportRefusal(outcome);
    return undefined;
  }

  async logout({ id, sessionId }: SignedIn): Promise<void> {
    await this.data.transaction(Session, { actor: id }, (manager) =>
      this.sessions.end(manager, sessionId, new Date()),
    );
  }

  async me({ id }: SignedIn): Promise<User> {
    return this.data.forRead(User).findOneByOrFail({ id });
  }

  private async open(email: string, password: string): Promise<TokenPair | undefined> {
    const user = await this.data.forRead(User).findOneBy({ email });
    const matches = await this.passwords.verify(user?.passwordHash, password);
    if (!user || !matches) return undefined;
    const session = await this.data.transaction(Session, { actor: user.id }, async (manager) => {
      // Disabled, or given another password, while this one was being checked?
      const unchanged = { id: user.id, passwordHash: user.passwordHash, disabled: false };
      const current = await manager.findOne(User, { where: unchanged, lock: { mode: 'pessimistic_read' } });
      return current && this.sessions.open(manager, user.id, new Date());
    });
    return session ? this.pairOf(session) : undefined;
  }

  private async pairOf({ userId, sessionId, refreshToken }: OpenSession): Promise<TokenPair> {
    const user = await this.data.forRead(User).findOneByOrFail({ id: userId });
    const accessToken = this.tokens.sign(userId, sessionId);
    return { accessToken, refreshToken, expiresIn: ACCESS_TOKEN_LIFETIME, user: viewOf(user) };
  }

  private reportRefusal({ decision, userId }: Exclude<RefreshOutcome, { session: OpenSession }>): void {
    if (decision === 'reuse')
      this.logger.warn({ event: 'refresh-token-reused', user: userId, action: 'session ended' });
    else this.logger.log({ event: 'refresh-refused', user: userId });
  }
}
