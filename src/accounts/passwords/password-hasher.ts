import { randomBytes } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { hash, verify } from '@node-rs/argon2';

/** OWASP's first choice of parameters; 16 ms a hash on the reference machine. argon2id is the library's default. */
const PARAMETERS = { memoryCost: 19_456, timeCost: 2, parallelism: 1 };

@Injectable()
export class PasswordHasher {
  private readonly nobodysHash = hash(randomBytes(32), PARAMETERS);

  hash(password: string): Promise<string> {
    return hash(password, PARAMETERS);
  }

  /**
   * Whether `password` is the one behind `passwordHash`. Without a hash (nobody has that e-mail) the
   * same work is done for nothing, so that the time of the answer does not tell who has an account.
   */
  async verify(passwordHash: string | undefined, password: string): Promise<boolean> {
    const matches = await verify(passwordHash ?? (await this.nobodysHash), password);
    return matches && passwordHash !== undefined;
  }
}
