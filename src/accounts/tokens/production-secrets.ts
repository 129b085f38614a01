import { type Config, ConfigError } from '../../config/config.js';
import { passwordProblem } from '../passwords/password-rules.js';

const MIN_SECRET_BYTES = 32;
/** Random text of this length has more; words and repetitions have fewer. */
const MIN_DIFFERENT_CHARACTERS = 10;
const PLACEHOLDER =
  /change.?(me|this|it)|your.?(own|\d+.?bit|jwt|secret)|secret.?(key|at.?least)|placeholder|example|(super|top|my).?secret|string.?secret|password|default|insecure|dev(elopment)?.?(only|secret)|medlink/i;

/** What a production node refuses to start with, one line each; empty when all is well. */
export function productionSecretProblems(config: Config): string[] {
  return [...secretProblems(config.jwtSecret), ...adminPasswordProblems(config)];
}

/** Throws a {@link ConfigError} when this is production and its secrets are missing, weak or known. */
export function refuseWeakProductionSecrets(config: Config): void {
  if (!config.production) return;
  const problems = productionSecretProblems(config);
  if (problems.length > 0) throw new ConfigError(problems);
}

function secretProblems(secret: string | undefined): string[] {
  const remedy = 'make one with: openssl rand -base64 48';
  if (secret === undefined) return [`MEDLINK_JWT_SECRET is missing; ${remedy}`];
  if (Buffer.byteLength(secret) < MIN_SECRET_BYTES) {
    return [`MEDLINK_JWT_SECRET is shorter than ${MIN_SECRET_BYTES} bytes; ${remedy}`];
  }
  if (PLACEHOLDER.test(secret) || new Set(secret).size < MIN_DIFFERENT_CHARACTERS) {
    return [`MEDLINK_JWT_SECRET is a placeholder or a pattern that others know; ${remedy}`];
  }
  return [];
}

function adminPasswordProblems({ adminEmail, adminPassword }: Config): string[] {
  if (adminPassword === undefined) return [];
  const problem = passwordProblem(adminPassword, adminEmail);
  return problem === undefined ? [] : [`MEDLINK_ADMIN_PASSWORD ${problem}`];
}
