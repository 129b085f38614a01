import { applyDecorators } from '@nestjs/common';
import {
  ApiBadRequestResponse,
  ApiHeader,
  ApiNotFoundResponse,
  ApiPreconditionFailedResponse,
  ApiResponse,
  ApiUnprocessableEntityResponse,
} from '@nestjs/swagger';

const text = (description: string, example?: string) => ({
  description,
  schema: { type: 'string' as const, example },
});

/** The headers of every answer that is one patient. */
export const PATIENT_HEADERS = {
  ETag: text('The version and what it holds, for `If-Match`.', '"v3-9d0f3a5c"'),
  'X-Sync-State': {
    description: 'How far the changes have travelled.',
    schema: { type: 'string' as const, enum: ['synced', 'pending', 'disputed', 'quarantined'] },
  },
};

export const CREATED_HEADERS = { ...PATIENT_HEADERS, Location: text('The path of the new patient.') };
export const PAGE_HEADERS = { Link: text('The next page, `rel="next"`. Absent on the last.') };

/** What reading one patient can answer beside it. */
export function ApiOnePatient(): MethodDecorator {
  return applyDecorators(
    ApiBadRequestResponse({ description: 'The id is not a UUID' }),
    ApiNotFoundResponse({ description: 'No such patient, or one of another region' }),
  );
}

/** What a change of one patient takes and can answer beside it. `required`: whether it must say `If-Match`. */
export function ApiPatientChange({ ifMatchRequired = false } = {}): MethodDecorator {
  return applyDecorators(
    ApiOnePatient(),
    ApiHeader({
      name: 'If-Match',
      required: ifMatchRequired,
      description: 'The ETag that the change was made on, or `*`.',
      schema: { type: 'string', ...(ifMatchRequired && { example: '*' }) },
    }),
    ApiHeader({
      name: 'Prefer',
      required: false,
      description: '`handling=strict` makes `If-Match` required.',
    }),
    ApiPreconditionFailedResponse({ description: 'The patient has changed since it was read' }),
    ApiResponse({ status: 428, description: '`If-Match` is required' }),
    ApiUnprocessableEntityResponse({ description: 'A value cannot be accepted' }),
  );
}
