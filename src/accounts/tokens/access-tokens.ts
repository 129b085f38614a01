import { Injectable } from '@nestjs/common';
import jwt from 'jsonwebtoken';
import { SigningKey } from './signing-key.js';

/** Seconds. What a token may do is read from the database each time, so this bounds only a stolen token's use. */
export const ACCESS_TOKEN_LIFETIME = 15 * 60;

/** The only tokens that are accepted: a fixed algorithm, made by a node, for this API. */
export const ACCESS_TOKEN_RULES = { algorithm: 'HS256', issuer: 'medlink', audience: 'medlink-api' } as const;

export interface AccessClaims {
  /** Id of the account. */
  readonly sub: string;
  /** Id of the session. */
  readonly sid: string;
  readonly use: 'access';
}

@Injectable()
export class AccessTokens {
  constructor(private readonly signing: SigningKey) {}

  sign(userId: string, sessionId: string): string {
    const claims: AccessClaims = { sub: userId, sid: sessionId, use: 'access' };
    return jwt.sign(claims, this.signing.key, { ...ACCESS_TOKEN_RULES, expiresIn: ACCESS_TOKEN_LIFETIME });
  }
}
