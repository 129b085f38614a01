import { applyDecorators } from '@nestjs/common';
import {
  ApiConflictResponse,
  ApiHeader,
  ApiNotFoundResponse,
  ApiOkResponse,
  ApiPreconditionFailedResponse,
  ApiResponse,
  ApiUnprocessableEntityResponse,
} from '@nestjs/swagger';
import { ConflictDto } from './conflict.dto.js';

const text = (description: string, example?: string) => ({
  description,
  schema: { type: 'string' as const, example },
});

export const CONFLICT_HEADERS = { ETag: text('What is shown, for `If-Match`.', '"v1-9d0f3a5c"') };
export const PAGE_HEADERS = { Link: text('The next page, `rel="next"`. Absent on the last.') };

/** What a decision takes beside its body, and can answer. */
export function ApiDecision(conflict: string): MethodDecorator {
  return applyDecorators(
    ApiOkResponse({ type: ConflictDto, headers: CONFLICT_HEADERS }),
    ApiHeader({
      name: 'If-Match',
      required: false,
      description: 'The ETag of what was on the screen. Refused when something of it has changed since.',
      schema: { type: 'string' },
    }),
    ApiHeader({
      name: 'Idempotency-Key',
      required: false,
      description: 'A retry with the same key is answered the same.',
    }),
    ApiNotFoundResponse({ description: 'No such conflict, or one of another region' }),
    ApiConflictResponse({ description: conflict }),
    ApiPreconditionFailedResponse({ description: 'Something has changed since it was read' }),
    ApiResponse({ status: 428, description: '`If-Match` is required' }),
    ApiUnprocessableEntityResponse({ description: 'A field is missing, or a value cannot be accepted' }),
  );
}
