/** How long the answer to a refresh may have been lost on its way, so that the client asks again. */
export const GRACE_MS = 10_000;

/** A presented refresh token, and what has become of its session and of the token made from it. */
export interface PresentedToken {
  readonly expiresAt: Date;
  readonly rotatedAt: Date | null;
  readonly successorRotatedAt: Date | null;
  readonly sessionEndedAt: Date | null;
  readonly sessionExpiresAt: Date;
  readonly disabled: boolean;
}

/**
 * `rotate`: make the next token. `repeat`: the answer was lost, give it again. `reuse`: someone else
 * has the token too; end the session. `refuse`: the session or the token is over.
 */
export type RefreshDecision = 'rotate' | 'repeat' | 'reuse' | 'refuse';

export function decideRefresh(token: PresentedToken, now: Date): RefreshDecision {
  if (token.disabled || token.sessionEndedAt || token.sessionExpiresAt <= now) return 'refuse';
  if (!token.rotatedAt) return token.expiresAt > now ? 'rotate' : 'refuse';
  // Whoever has used the next token did get the answer, so this one comes from somebody else.
  const answerMayBeLost =
    token.successorRotatedAt === null && now.getTime() - token.rotatedAt.getTime() <= GRACE_MS;
  return answerMayBeLost ? 'repeat' : 'reuse';
}
