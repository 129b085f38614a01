import { Injectable } from '@nestjs/common';
import { PassportStrategy } from '@nestjs/passport';
import { ExtractJwt, Strategy } from 'passport-jwt';
import type { SignedIn } from '../principal.js';
import { SessionReader } from '../sessions/session.reader.js';
import { ACCESS_TOKEN_RULES, type AccessClaims } from './access-tokens.js';
import { SigningKey } from './signing-key.js';

/** Turns a bearer token into the person behind it, as the database knows them now. */
@Injectable()
export class JwtStrategy extends PassportStrategy(Strategy, 'jwt') {
  constructor(
    signing: SigningKey,
    private readonly sessions: SessionReader,
  ) {
    super({
      jwtFromRequest: ExtractJwt.fromAuthHeaderAsBearerToken(),
      // The types know strings and buffers only; see SigningKey for why it is neither.
      secretOrKeyProvider: (_request, _token, done) => done(null, signing.key as never),
      algorithms: [ACCESS_TOKEN_RULES.algorithm],
      issuer: ACCESS_TOKEN_RULES.issuer,
      audience: ACCESS_TOKEN_RULES.audience,
    });
  }

  async validate(claims: AccessClaims): Promise<SignedIn | undefined> {
    if (claims.use !== 'access') return undefined;
    return this.sessions.signedIn(claims.sid, claims.sub);
  }
}
