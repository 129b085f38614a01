import { createHmac, createSecretKey, type KeyObject, randomBytes } from 'node:crypto';
import { join } from 'node:path';
import type { Config } from '../../config/config.js';
import { refuseWeakProductionSecrets } from './production-secrets.js';
import { readOrCreateSecret } from './secret-file.js';

/** The node's own secret. Whoever has it can sign access tokens for this node. */
export class SigningKey {
  /** A key object, not a string: jsonwebtoken tries to parse a string as a public key, 0.47 ms each time. */
  readonly key: KeyObject;

  constructor(secret: string) {
    this.key = createSecretKey(Buffer.from(secret, 'utf8'));
  }

  /** A value that only this node can compute from `text`. `purpose` keeps the uses apart. */
  derive(purpose: string, text: string): Buffer {
    return createHmac('sha256', this.key).update(`${purpose}:${text}`).digest();
  }
}

/** The environment's secret, else the one generated into the data directory. Throws `ConfigError` in production. */
export async function loadSigningKey(config: Config): Promise<SigningKey> {
  refuseWeakProductionSecrets(config);
  if (config.jwtSecret !== undefined) return new SigningKey(config.jwtSecret);
  const secret = await readOrCreateSecret(join(config.dataDir, 'jwt-secret'), () =>
    randomBytes(48).toString('base64url'),
  );
  return new SigningKey(secret);
}
