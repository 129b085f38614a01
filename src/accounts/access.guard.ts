import { randomUUID } from 'node:crypto';
import { type ExecutionContext, Injectable, Logger } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import { AuthGuard } from '@nestjs/passport';
import passport from 'passport';
import { PUBLIC_ROUTE } from '../http/policy.js';
import { Problem } from '../http/problem.js';
import { REQUIRED_PERMISSIONS } from './allow.decorator.js';
import type { SignedIn } from './principal.js';
import { isAllowed, type Permission } from './roles.js';
import { JwtStrategy } from './tokens/jwt.strategy.js';

/**
 * Stands before every route of the application, and fails closed: a route without a policy is refused
 * to everybody, and the log says which one to decorate.
 */
@Injectable()
export class AccessGuard extends AuthGuard() {
  private readonly logger = new Logger(AccessGuard.name);

  constructor(
    private readonly reflector: Reflector,
    strategy: JwtStrategy,
  ) {
    super({ defaultStrategy: ownName(strategy) });
  }

  override async canActivate(context: ExecutionContext): Promise<boolean> {
    const policy = this.policyOf(context);
    if (policy === 'public') return true;
    if (!policy) return this.refuseUndecided(context);
    await super.canActivate(context);
    const { role } = context.switchToHttp().getRequest<{ user: SignedIn }>().user;
    if (!policy.every((permission) => isAllowed(role, permission))) throw forbidden();
    return true;
  }

  /** Called by passport: why a token was not good is nobody's business, that the database failed is. */
  override handleRequest<T = SignedIn>(error: Error | null, signedIn: T | false): T {
    if (error) throw error;
    if (!signedIn) throw unauthorized();
    return signedIn;
  }

  /** The handler's own policy, else its controller's. */
  private policyOf(context: ExecutionContext): 'public' | readonly Permission[] | undefined {
    for (const target of [context.getHandler(), context.getClass()]) {
      if (this.reflector.get<boolean | undefined>(PUBLIC_ROUTE, target)) return 'public';
      const permissions = this.reflector.get<Permission[] | undefined>(REQUIRED_PERMISSIONS, target);
      if (permissions) return permissions;
    }
    return undefined;
  }

  private refuseUndecided(context: ExecutionContext): never {
    const route = `${context.getClass().name}.${context.getHandler().name}`;
    this.logger.error({ event: 'route-without-policy', route, remedy: 'decorate it with @Allow or @Public' });
    throw forbidden();
  }
}

/**
 * Passport keeps the strategies of the whole process by their names: under the usual one it would find that of the
 * last application made. It must be a name: given the strategy itself, passport hangs each request's answer on that
 * one object, and requests at the same time get each other's, or none.
 */
function ownName(strategy: JwtStrategy): string {
  const name = `jwt ${randomUUID()}`;
  passport.use(name, strategy);
  return name;
}

function unauthorized(): Problem {
  return new Problem(401, 'unauthorized', 'A valid access token is required', {
    detail: 'Send one from POST /api/v1/auth/login as "Authorization: Bearer …".',
    headers: { 'www-authenticate': 'Bearer' },
  });
}

function forbidden(): Problem {
  return new Problem(403, 'forbidden', 'Your role does not allow this');
}
