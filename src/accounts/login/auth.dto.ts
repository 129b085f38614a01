import { ApiProperty } from '@nestjs/swagger';
import { IsString, Matches, MaxLength, MinLength } from 'class-validator';
import { PASSWORD_MAX, PASSWORD_MIN } from '../passwords/password-rules.js';
import { UserView } from '../users/user.dto.js';

export class Credentials {
  @ApiProperty({ example: 'admin@medlink.local', format: 'email' })
  @Matches(/^[^\p{Cc}\p{Cs}]+$/u, { message: 'must not be empty, nor have control characters' })
  @MaxLength(254)
  @IsString()
  email!: string;

  @ApiProperty({
    example: 'the password printed at the first start',
    format: 'password',
    description: 'The first administrator’s is in the file `admin-password` of the data directory.',
  })
  @MaxLength(1_024)
  @IsString()
  password!: string;
}

export class RefreshRequest {
  @ApiProperty({ example: 'pZ3V0mYb9rTqX1cKfJ7wLhNe5sAuG2dO8iWvC4xRkQE' })
  @MaxLength(4_096)
  @IsString()
  refreshToken!: string;
}

export class ChangePassword {
  @ApiProperty({ format: 'password', example: 'the password until now' })
  @MaxLength(1_024)
  @IsString()
  currentPassword!: string;

  @ApiProperty({
    format: 'password',
    example: 'neuf-pirogues-a-Soumbedioune',
    minLength: PASSWORD_MIN,
    maxLength: PASSWORD_MAX,
  })
  @MinLength(PASSWORD_MIN)
  @MaxLength(PASSWORD_MAX)
  @IsString()
  newPassword!: string;
}

export class TokenPair {
  @ApiProperty({ description: 'Send it as `Authorization: Bearer …`.' })
  accessToken!: string;

  @ApiProperty({ description: 'Good for one refresh, which answers the next one.' })
  refreshToken!: string;

  @ApiProperty({ type: 'integer', example: 900, description: 'Seconds until the access token lapses.' })
  expiresIn!: number;

  @ApiProperty({ type: UserView })
  user!: UserView;
}
