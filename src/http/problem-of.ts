import { STATUS_CODES } from 'node:http';
import { HttpException } from '@nestjs/common';
import { CentralUnavailableError } from '../routing/data-router.js';
import { databaseProblem } from './postgres-problem.js';
import { Problem } from './problem.js';

/** Slug and title of each status that the framework answers with. */
const BY_STATUS: Readonly<Record<number, readonly [slug: string, title: string] | undefined>> = {
  400: ['malformed-request', 'The request cannot be understood'],
  401: ['unauthorized', 'A valid access token is required'],
  403: ['forbidden', 'Your role does not allow this'],
  404: ['not-found', 'There is nothing here'],
  406: ['not-acceptable', 'This cannot be answered in a form that you accept'],
  408: ['request-timeout', 'The request took too long to arrive'],
  413: ['payload-too-large', 'The request body is too large'],
  415: ['unsupported-media-type', 'The body is in a form that is not read here'],
  429: ['too-many-requests', 'Too many requests'],
  503: ['unavailable', 'This is not available now'],
};

/** The problem that any error is told as. What is unexpected becomes a 500 that says nothing. */
export function problemOf(error: unknown): Problem {
  if (error instanceof Problem) return error;
  if (error instanceof CentralUnavailableError) return centralAway(error);
  if (error instanceof HttpException) return problemOfStatus(error.getStatus(), error);
  return databaseProblem(error) ?? unexpected(error);
}

function problemOfStatus(status: number, error: HttpException): Problem {
  const [slug, title] = BY_STATUS[status] ?? [String(status), STATUS_CODES[status] ?? 'Error'];
  return new Problem(status, slug, title, { detail: pipeDetail(error), cause: error });
}

/** Nest's own pipes say what they expect, not what they got. Other messages may quote the request. */
function pipeDetail({ message }: HttpException): string | undefined {
  return /^Validation failed \([\w ]+\)$/.test(message) ? message : undefined;
}

function centralAway(cause: CentralUnavailableError): Problem {
  return new Problem(503, 'central-unavailable', 'The central database cannot be reached', {
    detail: 'The region works on without it. Please try again later.',
    headers: { 'retry-after': '10' },
    cause,
  });
}

function unexpected(cause: unknown): Problem {
  return new Problem(500, 'internal-error', 'Something went wrong on our side', {
    cause,
  });
}
