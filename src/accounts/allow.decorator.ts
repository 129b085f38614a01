import { applyDecorators, SetMetadata } from '@nestjs/common';
import { ApiBearerAuth, ApiForbiddenResponse, ApiUnauthorizedResponse } from '@nestjs/swagger';
import type { Permission } from './roles.js';

export { Public } from '../http/policy.js';

export const REQUIRED_PERMISSIONS = 'medlink:permissions';

/**
 * The policy of a route or of a whole controller: the caller is signed in and their role has every
 * one of `permissions`. Without a permission, being signed in is enough. A handler's policy replaces
 * its controller's.
 */
export function Allow(...permissions: Permission[]): ClassDecorator & MethodDecorator {
  return applyDecorators(
    SetMetadata(REQUIRED_PERMISSIONS, permissions),
    ApiBearerAuth(),
    ApiUnauthorizedResponse({ description: 'No valid access token' }),
    ApiForbiddenResponse({
      description:
        permissions.length > 0 ? `The role lacks ${permissions.join(', ')}` : 'The role may not do this',
    }),
  );
}
