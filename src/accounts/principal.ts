import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import type { ChangeContext } from '../routing/change-context.js';
import type { Role } from './roles.js';

/** The signed-in person, as the home database knew them when the request arrived. */
export interface Principal {
  readonly id: string;
  readonly email: string;
  readonly fullName: string;
  readonly role: Role;
  /** The region whose patients and accounts this person sees; `null` for national roles, which see all. */
  readonly region: string | null;
}

/** A principal together with the login that the access token belongs to. */
export interface SignedIn extends Principal {
  readonly sessionId: string;
}

interface AuthenticatedRequest {
  readonly id: string;
  readonly user: SignedIn;
}

function requestOf(context: ExecutionContext): AuthenticatedRequest {
  return context.switchToHttp().getRequest<AuthenticatedRequest>();
}

/** Parameter decorator: the {@link Principal} (a {@link SignedIn}) who calls. Only on routes with `@Allow`. */
export const CurrentPrincipal = createParamDecorator(
  (_: unknown, context: ExecutionContext): SignedIn => requestOf(context).user,
);

/** Parameter decorator: who changes what, for `DataRouter.transaction`. Only on routes with `@Allow`. */
export const CurrentChange = createParamDecorator((_: unknown, context: ExecutionContext): ChangeContext => {
  const { id, user } = requestOf(context);
  return { actor: user.id, actorName: user.fullName, role: user.role, requestId: id };
});
