import { Injectable } from '@nestjs/common';
import { DataRouter } from '../../routing/data-router.js';
import type { SignedIn } from '../principal.js';
import { Session } from './session.entity.js';

/** By two primary keys, so that it can be asked on every request. */
const SIGNED_IN = `
  SELECT s.id AS "sessionId", u.id, u.email, u.full_name AS "fullName", u.role, u.region
  FROM sessions s JOIN users u ON u.id = s.user_id
  WHERE s.id = $1 AND u.id = $2 AND s.ended_at IS NULL AND s.expires_at > now() AND NOT u.disabled`;

@Injectable()
export class SessionReader {
  constructor(private readonly data: DataRouter) {}

  /**
   * The person of a session that is not over, as the account is now. Nothing is cached: a logout, a
   * disabled account or another role counts from the next request on, whichever process wrote it.
   */
  async signedIn(sessionId: string, userId: string): Promise<SignedIn | undefined> {
    const [signedIn] = await this.data.forRead(Session).query<SignedIn[]>(SIGNED_IN, [sessionId, userId]);
    return signedIn;
  }
}
