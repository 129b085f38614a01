import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { DocumentBuilder, type OpenAPIObject, SwaggerModule } from '@nestjs/swagger';
import { BODY_CONTENT } from './streamed-body.decorator.js';

type OperationObject = NonNullable<OpenAPIObject['paths'][string]['get']>;
type ResponseObject = { description: string; content?: typeof PROBLEM_CONTENT };
type SchemaObject = Extract<
  NonNullable<NonNullable<OpenAPIObject['components']>['schemas']>[string],
  { type?: unknown }
>;

const DESCRIPTION = `
Patient files of the region, always readable and writable here, and shared with the national database
in the background. Log in with \`POST /auth/login\`, then paste the \`accessToken\` into **Authorize**.

Errors are \`application/problem+json\` (RFC 9457). Lists take \`limit\` and \`cursor\`. Single resources
carry an \`ETag\` for \`If-Match\`. \`POST\` takes an \`Idempotency-Key\`.`;

const PROBLEM_SCHEMA: SchemaObject = {
  type: 'object',
  required: ['type', 'title', 'status', 'detail', 'instance', 'requestId'],
  properties: {
    type: { type: 'string', format: 'uri', example: 'https://medlink.example/problems/invalid-input' },
    title: { type: 'string', example: 'Some values cannot be accepted' },
    status: { type: 'integer', example: 422 },
    detail: { type: 'string' },
    instance: { type: 'string', format: 'uri-reference', example: '/api/v1/patients' },
    requestId: { type: 'string', example: '0e3c1c55-3b41-4a8f-9d1c-0a3a3a1f6a52' },
    errors: {
      type: 'array',
      description: 'Every bad field of the input.',
      items: {
        type: 'object',
        required: ['path', 'message'],
        properties: {
          path: { type: 'string', example: 'birthDate' },
          message: { type: 'string', example: 'must not be in the future' },
        },
      },
    },
  },
};

const PROBLEM_CONTENT = { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } };
const METHODS = ['get', 'put', 'post', 'delete', 'patch'] as const;

/** Serves the document at `/docs-json` and the Swagger UI at `/docs`. Both are built when first asked for. */
export function serveOpenApi(app: NestFastifyApplication): void {
  SwaggerModule.setup('docs', app, () => openApiDocument(app), {
    jsonDocumentUrl: 'docs-json',
    raw: ['json'],
    customSiteTitle: 'MedLink API',
    // A token in localStorage would outlive the session; the online validator is another host.
    swaggerOptions: { persistAuthorization: false, validatorUrl: null, displayRequestDuration: true },
  });
}

function openApiDocument(app: NestFastifyApplication): OpenAPIObject {
  const config = new DocumentBuilder()
    .setTitle('MedLink')
    .setDescription(DESCRIPTION)
    .setVersion('1')
    .setOpenAPIVersion('3.1.0')
    .addBearerAuth({ type: 'http', scheme: 'bearer', bearerFormat: 'JWT' })
    .build();
  const document = SwaggerModule.createDocument(app, config);
  document.components = {
    ...document.components,
    schemas: { ...document.components?.schemas, Problem: PROBLEM_SCHEMA },
  };
  for (const operation of operationsOf(document)) {
    describeProblems(operation);
    describeBody(operation);
  }
  return document;
}

function operationsOf({ paths }: OpenAPIObject): OperationObject[] {
  return Object.values(paths).flatMap((path) => METHODS.flatMap((method) => path[method] ?? []));
}

/** Every error answer is a problem, whether the route declares its status or not. */
function describeProblems({ responses }: OperationObject): void {
  responses['4XX'] ??= { description: 'The request is refused; the problem says why.' };
  responses['5XX'] ??= { description: 'The node cannot answer now.' };
  for (const [status, response] of Object.entries(responses)) {
    if (/^[45]/.test(status) && isPlain(response)) response.content ??= PROBLEM_CONTENT;
  }
}

/** What a route says of each media type of its body takes the place of what is said of all. */
function describeBody(operation: OperationObject & { [BODY_CONTENT]?: object }): void {
  const { [BODY_CONTENT]: content, requestBody } = operation;
  if (!content) return;
  Reflect.deleteProperty(operation, BODY_CONTENT);
  if (requestBody && 'content' in requestBody) Object.assign(requestBody.content, content);
}

function isPlain(response: OperationObject['responses'][string]): response is ResponseObject {
  return response !== undefined && !('$ref' in response);
}
