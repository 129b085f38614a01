import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { Injectable, Logger, type OnApplicationBootstrap } from '@nestjs/common';
import { Config } from '../config/config.js';
import { DataRouter } from '../routing/data-router.js';
import { PasswordHasher } from './passwords/password-hasher.js';
import { readOrCreateSecret } from './tokens/secret-file.js';
import { User } from './users/user.entity.js';
import { insertUser, newUser } from './users/new-user.js';

/** Sees to it, before the node serves, that there is somebody who can make the other accounts. */
@Injectable()
export class FirstAdministrator implements OnApplicationBootstrap {
  private readonly logger = new Logger('Accounts');

  constructor(
    private readonly data: DataRouter,
    private readonly config: Config,
    private readonly passwords: PasswordHasher,
  ) {}

  async onApplicationBootstrap(): Promise<void> {
    const email = this.config.adminEmail;
    if (await this.data.forRead(User).existsBy({ email })) return;
    const path = join(this.config.dataDir, 'admin-password');
    const password = this.config.adminPassword ?? (await readOrCreateSecret(path, randomPassword));
    if (!(await this.create(email, password))) return;
    this.logger.log({ event: 'account-created', role: 'admin_national', actor: 'application' });
    if (this.config.adminPassword === undefined) announce(email, password, path);
  }

  /** False when another process has just made it. */
  private async create(email: string, password: string): Promise<boolean> {
    const passwordHash = await this.passwords.hash(password);
    const user = newUser({
      email,
      fullName: 'Administrateur',
      role: 'admin_national',
      region: null,
      passwordHash,
    });
    return this.data.transaction(User, { actor: 'application' }, (manager) => insertUser(manager, user));
  }
}

/** 26 characters, 128 bits, none that is hard to tell from another. */
function randomPassword(): string {
  const alphabet = '0123456789abcdefghjkmnpqrstvwxyz';
  return [...randomBytes(26)].map((byte) => alphabet[byte % alphabet.length]).join('');
}

/** On the terminal and not in the log, which is kept and shipped elsewhere. */
function announce(email: string, password: string, path: string): void {
  process.stdout.write(
    `\nFirst administrator: ${email}\nPassword:            ${password}\n(also in ${path})\n\n`,
  );
}
