import { HttpException } from '@nestjs/common';
import { genericDetail } from './generic-detail.js';

const TYPE_BASE = 'https://medlink.example/problems/';

/** One bad field: where it is in the input (`address.city`, `lines.0.dose`), and what is wrong with it. Never the value. */
export interface FieldError {
  readonly path: string;
  readonly message: string;
}

export interface ProblemOptions {
  /** What happened this time, in words that hold no patient's data. Without it the status speaks. */
  readonly detail?: string;
  readonly errors?: readonly FieldError[];
  readonly headers?: Readonly<Record<string, string>>;
  /** Further members of the answer's body. */
  readonly extra?: Readonly<Record<string, unknown>>;
  readonly cause?: unknown;
}

/**
 * An outcome that the client is told of as `application/problem+json` (RFC 9457). `slug` names the
 * kind of problem for programs, `title` the same for people. The filter adds `instance` and
 * `requestId`.
 */
export class Problem extends HttpException {
  readonly type: string;
  readonly title: string;
  readonly detail: string | undefined;
  readonly errors: readonly FieldError[] | undefined;
  readonly headers: Readonly<Record<string, string>>;
  readonly extra: Readonly<Record<string, unknown>>;

  constructor(status: number, slug: string, title: string, options: ProblemOptions = {}) {
    super(title, status, { cause: options.cause });
    this.name = 'Problem';
    this.type = TYPE_BASE + slug;
    this.title = title;
    this.detail = options.detail;
    this.errors = options.errors;
    this.headers = options.headers ?? {};
    this.extra = options.extra ?? {};
  }

  /** The members that do not depend on the request. */
  body(): Record<string, unknown> {
    return {
      type: this.type,
      title: this.title,
      status: this.getStatus(),
      detail: this.detail ?? genericDetail(this.getStatus()),
      ...(this.errors === undefined ? {} : { errors: this.errors }),
      ...this.extra,
    };
  }
}
