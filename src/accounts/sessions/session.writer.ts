import { createHash, randomBytes } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { type EntityManager, IsNull } from 'typeorm';
import { uuidv7 } from 'uuidv7';
import { SigningKey } from '../tokens/signing-key.js';
import { decideRefresh, type PresentedToken, type RefreshDecision } from './refresh-decision.js';
import { RefreshToken } from './refresh-token.entity.js';
import { Session } from './session.entity.js';

const HOUR_MS = 3_600_000;
/** A session that nobody refreshes for a shift ends; a busy one asks for the password once a week. */
const IDLE_MS = 12 * HOUR_MS;
const LIFETIME_MS = 7 * 24 * HOUR_MS;

/** A session's id with the refresh token that continues it. */
export interface OpenSession {
  readonly sessionId: string;
  readonly userId: string;
  readonly refreshToken: string;
}

export type RefreshOutcome =
  | { readonly decision: 'rotate' | 'repeat'; readonly session: OpenSession }
  | { readonly decision: 'reuse' | 'refuse'; readonly userId?: string };

interface FoundToken extends PresentedToken {
  readonly sessionId: string;
  readonly userId: string;
}

const PRESENTED = `
  SELECT s.id AS "sessionId", s.user_id AS "userId", t.expires_at AS "expiresAt", t.rotated_at AS "rotatedAt",
         next.rotated_at AS "successorRotatedAt", s.ended_at AS "sessionEndedAt",
         s.expires_at AS "sessionExpiresAt", u.disabled
  FROM refresh_tokens t JOIN sessions s ON s.id = t.session_id JOIN users u ON u.id = s.user_id
  LEFT JOIN refresh_tokens next ON next.hash = $2
  WHERE t.hash = $1`;

/** Opens, continues and ends sessions. Each method writes in the transaction of the manager it is given. */
@Injectable()
export class SessionWriter {
  constructor(private readonly signing: SigningKey) {}

  async open(manager: EntityManager, userId: string, now: Date): Promise<OpenSession> {
    const session = {
      id: uuidv7(),
      userId,
      createdAt: now,
      expiresAt: new Date(now.getTime() + LIFETIME_MS),
      endedAt: null,
    };
    const refreshToken = randomBytes(32).toString('base64url');
    await manager.query('DELETE FROM sessions WHERE user_id = $1 AND expires_at < $2', [userId, now]);
    await manager.insert(Session, session);
    await this.keep(manager, refreshToken, session.id, session.expiresAt, now);
    return { sessionId: session.id, userId, refreshToken };
  }

  /** A reused token ends its session: that must be committed, although the client is refused. */
  async refresh(manager: EntityManager, refreshToken: string, now: Date): Promise<RefreshOutcome> {
    const successor = this.successorOf(refreshToken);
    const hashes = [hashOf(refreshToken), hashOf(successor)];
    const [token] = await manager.query<FoundToken[]>(PRESENTED, hashes);
    if (!token) return { decision: 'refuse' };
    const { sessionId, userId } = token;
    const decision: RefreshDecision = decideRefresh(token, now);
    if (decision === 'refuse') return { decision, userId };
    if (decision === 'reuse') {
      await this.end(manager, sessionId, now);
      return { decision, userId };
    }
    if (decision === 'rotate') {
      await manager.update(
        RefreshToken,
        { hash: hashOf(refreshToken), rotatedAt: IsNull() },
        { rotatedAt: now },
      );
    }
    await this.keep(manager, successor, sessionId, token.sessionExpiresAt, now);
    return { decision, session: { sessionId, userId, refreshToken: successor } };
  }

  async end(manager: EntityManager, sessionId: string, now: Date): Promise<void> {
    await manager.query('UPDATE sessions SET ended_at = $2 WHERE id = $1 AND ended_at IS NULL', [
      sessionId,
      now,
    ]);
  }

  /** `kept`: a session of the user that goes on. */
  async endAllOf(manager: EntityManager, userId: string, now: Date, kept?: string): Promise<void> {
    await manager.query(
      'UPDATE sessions SET ended_at = $2 WHERE user_id = $1 AND ended_at IS NULL AND id IS DISTINCT FROM $3',
      [userId, now, kept ?? null],
    );
  }

  /**
   * The next token is computed from the one before, with the node's secret: a lost answer can be given
   * again although only hashes are kept, and the chain never branches, so reuse is always noticed. Two
   * refreshes at once with one token need no lock: both make the same successor.
   */
  private successorOf(refreshToken: string): string {
    return this.signing.derive('refresh-token', refreshToken).toString('base64url');
  }

  /** Nothing happens when a repeated answer's token is there already. */
  private async keep(manager: EntityManager, token: string, sessionId: string, sessionEnd: Date, now: Date) {
    const expiresAt = new Date(Math.min(now.getTime() + IDLE_MS, sessionEnd.getTime()));
    await manager.query(
      `INSERT INTO refresh_tokens (hash, session_id, expires_at) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING`,
      [hashOf(token), sessionId, expiresAt],
    );
  }
}

function hashOf(token: string): Buffer {
  return createHash('sha256').update(token).digest();
}
