import { decideRefresh, type PresentedToken } from '../../src/accounts/sessions/refresh-decision.js';

const NOW = new Date('2026-11-22T10:00:00Z');
const at = (seconds: number) => new Date(NOW.getTime() + seconds * 1_000);
const decide = (token: Partial<PresentedToken>) => {
  const fresh: PresentedToken = {
    expiresAt: at(60),
    rotatedAt: null,
    successorRotatedAt: null,
    sessionEndedAt: null,
    sessionExpiresAt: at(600),
    disabled: false,
  };
  return decideRefresh({ ...fresh, ...token }, NOW);
};

test.each([
  ['unused', {}, 'rotate'],
  ['unused, expired', { expiresAt: at(0) }, 'refuse'],
  ['used 10 s ago', { rotatedAt: at(-10) }, 'repeat'],
  ['used just over 10 s ago', { rotatedAt: at(-10.001) }, 'reuse'],
  ['used 1 s ago, and so was its successor', { rotatedAt: at(-1), successorRotatedAt: at(0) }, 'reuse'],
  ['of a session that was ended', { sessionEndedAt: at(-1) }, 'refuse'],
  ['of a session that has expired', { sessionExpiresAt: at(0) }, 'refuse'],
  ['of a disabled account', { disabled: true }, 'refuse'],
  ['used long ago, of a session that was ended', { rotatedAt: at(-60), sessionEndedAt: at(-30) }, 'refuse'],
])('a token that is %s', (_, token, decision) => {
  expect(decide(token)).toBe(decision);
});
