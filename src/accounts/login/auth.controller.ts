import { Body, Controller, Get, HttpCode, Ip, Post } from '@nestjs/common';
import {
  ApiNoContentResponse,
  ApiOkResponse,
  ApiOperation,
  ApiTags,
  ApiTooManyRequestsResponse,
  ApiUnauthorizedResponse,
} from '@nestjs/swagger';
import { Problem } from '../../http/problem.js';
import { Allow, Public } from '../allow.decorator.js';
import { CurrentPrincipal, type SignedIn } from '../principal.js';
import { UserView, viewOf } from '../users/user.dto.js';
import { Credentials, RefreshRequest, TokenPair } from './auth.dto.js';
import { AuthService } from './auth.service.js';

@ApiTags('Accounts')
@Controller('auth')
export class AuthController {
  constructor(private readonly auth: AuthService) {}

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

function sessionOver(): Problem {
  return new Problem(401, 'session-over', 'The refresh token is not good any more', {
    detail: 'Sign in again.',
    headers: { 'www-authenticate': 'Bearer' },
  });
}
