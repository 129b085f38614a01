import { Body, Controller, Get, HttpCode, Ip, Post } from '@nestjs/common';
import {
  ApiNoContentResponse,
  ApiOkResponse,
  ApiOperation,
  ApiTags,
  ApiTooManyRequestsResponse,
  ApiUnauthorizedResponse,
  ApiUnprocessableEntityResponse,
} from '@nestjs/swagger';
import { Problem } from '../../http/problem.js';
import type { ChangeContext } from '../../routing/change-context.js';
import { Allow, Public } from '../allow.decorator.js';
import { CurrentChange, CurrentPrincipal, type SignedIn } from '../principal.js';
import { UserView, viewOf } from '../users/user.dto.js';
import { ChangePassword, Credentials, RefreshRequest, TokenPair } from './auth.dto.js';
import { AuthService } from './auth.service.js';
import { OwnPassword } from './own-password.js';

@ApiTags('Accounts')
@Controller('auth')
export class AuthController {
  constructor(
    private readonly auth: AuthService,
    private readonly ownPassword: OwnPassword,
  ) {}

  @Post('login')
  @Public()
  @HttpCode(200)
  @ApiOperation({ summary: 'Sign in' })
  @ApiOkResponse({ type: TokenPair })
  @ApiUnauthorizedResponse({ description: 'Unknown e-mail address, wrong password, or disabled account' })
  @ApiTooManyRequestsResponse({ description: 'Too many wrong passwords; wait for `Retry-After` seconds' })
  async login(@Body() credentials: Credentials, @Ip() address: string): Promise<TokenPair> {
    const attempt = await this.auth.login(credentials, address);
    if (attempt.outcome === 'accepted') return attempt.value;
    throw attempt.outcome === 'wait' ? tooManyAttempts(attempt.seconds) : wrongCredentials();
  }

  @Post('refresh')
  @Public()
  @HttpCode(200)
  @ApiOperation({
    summary: 'Continue a session',
    description:
      'Each refresh token is good once, and again for 10 s in case the answer was lost. One that is used ' +
      'later ends the whole session, as two parties must have had it.',
  })
  @ApiOkResponse({ type: TokenPair })
  @ApiUnauthorizedResponse({ description: 'The token is unknown, used, expired, or its session is over' })
  async refresh(@Body() { refreshToken }: RefreshRequest): Promise<TokenPair> {
    const pair = await this.auth.refresh(refreshToken);
    if (!pair) throw sessionOver();
    return pair;
  }

  @Post('logout')
  @Allow()
  @HttpCode(204)
  @ApiOperation({ summary: 'Sign out', description: 'Ends the session; its tokens stop working at once.' })
  @ApiNoContentResponse()
  logout(@CurrentPrincipal() principal: SignedIn): Promise<void> {
    return this.auth.logout(principal);
  }

  @Post('password')
  @Allow()
  @HttpCode(204)
  @ApiOperation({ summary: 'Change my password', description: 'Ends all my other sessions.' })
  @ApiNoContentResponse()
  @ApiUnprocessableEntityResponse({
    description: 'The current password is wrong, or the new one is too easy',
  })
  @ApiTooManyRequestsResponse({ description: 'Too many wrong passwords; wait for `Retry-After` seconds' })
  async changePassword(
    @Body() change: ChangePassword,
    @CurrentPrincipal() principal: SignedIn,
    @CurrentChange() context: ChangeContext,
    @Ip() address: string,
  ): Promise<void> {
    const attempt = await this.ownPassword.change(principal, change, context, address);
    if (attempt.outcome === 'wait') throw tooManyAttempts(attempt.seconds);
    if (attempt.outcome === 'refused') throw wrongCurrentPassword();
  }

  @Get('me')
  @Allow()
  @ApiOperation({ summary: 'Who am I' })
  @ApiOkResponse({ type: UserView })
  async me(@CurrentPrincipal() principal: SignedIn): Promise<UserView> {
    return viewOf(await this.auth.me(principal));
  }
}

function wrongCredentials(): Problem {
  return new Problem(401, 'wrong-credentials', 'The e-mail address or the password is wrong', {
    headers: { 'www-authenticate': 'Bearer' },
  });
}

function tooManyAttempts(seconds: number): Problem {
  return new Problem(429, 'too-many-attempts', 'Too many wrong passwords', {
    detail: `Try again in ${seconds} s.`,
    headers: { 'retry-after': String(seconds) },
  });
}

function wrongCurrentPassword(): Problem {
  return new Problem(422, 'invalid-input', 'Some values cannot be accepted', {
    errors: [{ path: 'currentPassword', message: 'is wrong' }],
  });
}

function sessionOver(): Problem {
  return new Problem(401, 'session-over', 'The refresh token is not good any more', {
    detail: 'Sign in again.',
    headers: { 'www-authenticate': 'Bearer' },
  });
}
