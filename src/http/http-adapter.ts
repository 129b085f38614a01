import type { Socket } from 'node:net';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { type FastifyError, type FastifyReply, type FastifyRequest, LogController } from 'fastify';
import type { Logger } from 'pino';
import { Problem } from './problem.js';
import { requestIdOf } from './request-id.js';
import { sendProblem } from './send-problem.js';

/** Bytes of a body, unless its route streams it. */
const BODY_LIMIT = 1024 * 1024;
const REQUEST_TIMEOUT_MS = 60_000;

/** Fastify as MedLink needs it from its first byte on; `configureHttp` does the rest. */
class EdgeAdapter extends FastifyAdapter {
  /** The edge brings its own parsers; Nest's would also take forms. */
  override registerParserMiddleware(): void {
    return undefined;
  }
}

/** The adapter to create the application with: `NestFactory.create(AppModule, createHttpAdapter(logger), …)`. */
export function createHttpAdapter(logger: Logger): FastifyAdapter {
  return new EdgeAdapter({
    loggerInstance: logger,
    // The edge writes one line of its own: Fastify's would hold the URL.
    logController: new LogController({ disableRequestLogging: true, requestIdLogLabel: 'requestId' }),
    genReqId: requestIdOf,
    bodyLimit: BODY_LIMIT,
    requestTimeout: REQUEST_TIMEOUT_MS,
    // Fastify's own answer is no problem document; the edge says it itself while it closes.
    return503OnClosing: false,
    forceCloseConnections: 'idle',
    frameworkErrors: answerUnroutable,
    clientErrorHandler: answerBrokenRequest,
    routerOptions: { maxParamLength: 200 },
  });
}

/** A URL that the router cannot read: no hook has run. */
function answerUnroutable(error: FastifyError, request: FastifyRequest, reply: FastifyReply): void {
  reply.header('x-request-id', request.id);
  const tooLong = error.code === 'FST_ERR_MAX_PARAM_LENGTH';
  const problem = tooLong
    ? new Problem(414, 'uri-too-long', 'A part of the URL is too long')
    : new Problem(400, 'malformed-url', 'The URL cannot be understood');
  sendProblem(problem, request, reply);
}

const BROKEN_REQUESTS: Readonly<Record<string, readonly [number, string, string] | undefined>> = {
  HPE_HEADER_OVERFLOW: [431, 'headers-too-large', 'The request headers are too large'],
  ERR_HTTP_REQUEST_TIMEOUT: [408, 'request-timeout', 'The request took too long to arrive'],
};

/** Fastify's type takes what came last for JSON of a buffer; it is the buffer, or absent. */
type BrokenRequest = Error & { readonly code?: string; readonly rawPacket?: unknown };

/** What is not HTTP at all, or has too much of it: there is no request yet, only the socket. */
function answerBrokenRequest(error: BrokenRequest, socket: Socket): void {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy();
    return;
  }
  const [status, slug, title] = BROKEN_REQUESTS[error.code ?? ''] ?? [
    400,
    'malformed-request',
    'This is not HTTP',
  ];
  const requestId = requestIdOf({ headers: {} });
  const instance = pathIn(error.rawPacket);
  const body = JSON.stringify({ ...new Problem(status, slug, title).body(), instance, requestId });
  socket.end(
    `HTTP/1.1 ${status} ${title}\r\nContent-Type: application/problem+json\r\nX-Request-Id: ${requestId}\r\n` +
      `Content-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`,
  );
}

/** The path, without its query, as far as the bytes begin like a request. */
function pathIn(bytes: unknown): string | undefined {
  if (!Buffer.isBuffer(bytes)) return undefined;
  return /^[A-Z]+ (\/[^\s?#]*)/.exec(bytes.subarray(0, 2_048).toString('latin1'))?.[1];
}
