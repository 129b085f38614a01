import { Module } from '@nestjs/common';
import { APP_GUARD } from '@nestjs/core';
import { PassportModule } from '@nestjs/passport';
import { Config } from '../config/config.js';
import { RoutingModule } from '../routing/routing.module.js';
import { AccessGuard } from './access.guard.js';
import { ACCOUNT_ENTITIES, AccountsRouter } from './accounts.router.js';
import { FirstAdministrator } from './first-administrator.js';
import { AuthController } from './login/auth.controller.js';
import { AuthService } from './login/auth.service.js';
import { OwnPassword } from './login/own-password.js';
import { LoginThrottle } from './login/login-throttle.js';
import { PasswordHasher } from './passwords/password-hasher.js';
import { SessionReader } from './sessions/session.reader.js';
import { SessionWriter } from './sessions/session.writer.js';
import { AccessTokens } from './tokens/access-tokens.js';
import { JwtStrategy } from './tokens/jwt.strategy.js';
import { loadSigningKey, SigningKey } from './tokens/signing-key.js';
import { UsersController } from './users/users.controller.js';
import { UsersReader } from './users/users.reader.js';
import { UsersWriter } from './users/users.writer.js';

@Module({
  imports: [PassportModule, RoutingModule.forFeature({ entities: ACCOUNT_ENTITIES, router: AccountsRouter })],
  controllers: [AuthController, UsersController],
  providers: [
    { provide: SigningKey, inject: [Config], useFactory: loadSigningKey },
    { provide: LoginThrottle, useFactory: () => new LoginThrottle() },
    { provide: APP_GUARD, useClass: AccessGuard },
    AccessTokens,
    JwtStrategy,
    PasswordHasher,
    SessionReader,
    SessionWriter,
    AuthService,
    OwnPassword,
    UsersReader,
    UsersWriter,
    FirstAdministrator,
  ],
  exports: [SessionReader],
})
export class AccountsModule {}
