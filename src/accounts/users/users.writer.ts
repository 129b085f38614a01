import { Injectable, Logger } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { Config } from '../../config/config.js';
import { type Answer, idempotent } from '../../http/idempotency.js';
import { checkPreconditions, etagOf, type Preconditions } from '../../http/preconditions.js';
import { Problem } from '../../http/problem.js';
import type { ChangeContext } from '../../routing/change-context.js';
import { DataRouter } from '../../routing/data-router.js';
import { PasswordHasher } from '../passwords/password-hasher.js';
import { refuseBadPassword } from '../passwords/password-rules.js';
import type { Principal } from '../principal.js';
import { SessionWriter } from '../sessions/session.writer.js';
import { SigningKey } from '../tokens/signing-key.js';
import { insertUser, newUser } from './new-user.js';
import { type CreateUser, type UpdateUser, type UserView, viewOf } from './user.dto.js';
import { refuseBeyondRegion, regionFor, maySee } from './user-scope.js';
import { User } from './user.entity.js';
import { userNotFound } from './users.reader.js';

/** Who asks for a change, as every method here needs it. */
export interface UserChange {
  readonly caller: Principal;
  readonly context: ChangeContext;
}

export interface Repeatable {
  readonly key: string | undefined;
  readonly route: string;
}

interface SavedUser {
  readonly user: User;
  /** What changed, by name. */
  readonly fields: readonly (keyof User)[];
}

@Injectable()
export class UsersWriter {
  private readonly logger = new Logger('Accounts');

  constructor(
    private readonly data: DataRouter,
    private readonly config: Config,
    private readonly passwords: PasswordHasher,
    private readonly sessions: SessionWriter,
    private readonly signing: SigningKey,
  ) {}

  async create(
    draft: CreateUser,
    { caller, context }: UserChange,
    { key, route }: Repeatable,
  ): Promise<Answer<UserView>> {
    refuseBadPassword(draft.password, draft.email, 'password');
    const region = regionFor(draft.role, draft.region, caller, this.nodeRegion);
    refuseBeyondRegion(caller, { region });
    const { password, ...fields } = draft;
    const user = newUser({ ...fields, region, passwordHash: await this.passwords.hash(password) });
    // The stored fingerprint of a request must not be a quick way to test guesses at its password.
    const body = { ...draft, password: this.signing.derive('idempotency', password).toString('base64') };
    const answer = await this.data.transaction(User, context, (manager) =>
      idempotent(manager, { actor: caller.id, key, route, body }, () => this.insert(manager, user)),
    );
    if (answer.body.id === user.id) this.report('account-created', user, context);
    return answer;
  }

  /** Merges `change` into the account. Gives the account as it is then. */
  async update(id: string, change: UpdateUser, by: UserChange, preconditions: Preconditions): Promise<User> {
    const passwordHash =
      change.password === undefined ? undefined : await this.passwords.hash(change.password);
    const { user, fields } = await this.data.transaction(User, by.context, async (manager) => {
      const user = await manager.findOne(User, { where: { id }, lock: { mode: 'pessimistic_write' } });
      if (!user || !maySee(by.caller, user)) throw userNotFound();
      checkPreconditions(preconditions, etagOf(user.version));
      if (change.password !== undefined) refuseBadPassword(change.password, user.email, 'password');
      const wanted = { ...this.merged(user, change, by.caller), ...(passwordHash && { passwordHash }) };
      return this.save(manager, user, wanted);
    });
    if (fields.length > 0) this.report('account-changed', user, by.context, fields);
    return user;
  }

  private async insert(manager: EntityManager, user: User): Promise<Answer<UserView>> {
    if (!(await insertUser(manager, user))) throw emailTaken();
    const headers = { location: `/api/v1/users/${user.id}`, etag: etagOf(user.version) };
    return { status: 201, headers, body: viewOf(user) };
  }

  private merged(user: User, change: UpdateUser, caller: Principal): Partial<User> {
    const { fullName = user.fullName, role = user.role, disabled = user.disabled } = change;
    const wantedRegion = change.region === undefined ? (user.region ?? undefined) : change.region;
    const region =
      change.region === undefined && role === user.role
        ? user.region
        : regionFor(role, wantedRegion, caller, this.nodeRegion);
    refuseBeyondRegion(caller, { region });
    const losesRights = role !== user.role || region !== user.region || disabled;
    if (user.id === caller.id && losesRights) throw ownAccount();
    return { fullName, role, region, disabled };
  }

  private async save(manager: EntityManager, user: User, wanted: Partial<User>): Promise<SavedUser> {
    const fields = (Object.keys(wanted) as (keyof User)[]).filter((field) => wanted[field] !== user[field]);
    if (fields.length === 0) return { user, fields };
    const now = new Date();
    const saved = await manager.save(User, { ...user, ...wanted, version: user.version + 1, updatedAt: now });
    const locksOut = saved.disabled || wanted.passwordHash !== undefined;
    if (locksOut) await this.sessions.endAllOf(manager, user.id, now);
    return { user: saved, fields };
  }

  /** After the commit, and without a value that could be a secret: ids, rights and names of fields. */
  private report(event: string, user: User, context: ChangeContext, fields?: readonly (keyof User)[]): void {
    const { id, role, region, disabled } = user;
    const { actor, requestId } = context;
    this.logger.log({ event, user: id, role, region, disabled, fields, actor, requestId });
  }

  private get nodeRegion(): string | undefined {
    return this.config.mode === 'central' ? undefined : this.config.region;
  }
}

function emailTaken(): Problem {
  return new Problem(409, 'email-taken', 'There is an account with this e-mail address already', {
    errors: [{ path: 'email', message: 'belongs to another account' }],
  });
}

function ownAccount(): Problem {
  return new Problem(409, 'own-account', 'Nobody changes their own role or region, or disables themselves', {
    detail: 'Ask another administrator: so there is always one left.',
  });
}
