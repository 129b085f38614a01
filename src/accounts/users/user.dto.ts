import {
  ApiProperty,
  ApiPropertyOptional,
  IntersectionType,
  OmitType,
  PartialType,
  PickType,
} from '@nestjs/swagger';
import { IsOptional, IsString, MaxLength, MinLength, ValidateIf } from 'class-validator';
import { ReadOnly } from '../../http/read-only.js';
import { PASSWORD_MAX, PASSWORD_MIN } from '../passwords/password-rules.js';
import { User } from './user.entity.js';

const PASSWORD = {
  example: 'neuf-pirogues-a-Soumbedioune',
  minLength: PASSWORD_MIN,
  maxLength: PASSWORD_MAX,
  writeOnly: true,
  description: 'Any characters. Refused when it is among those that guessing programs try first.',
};

/** `null` says national, and is valid; the role decides whether it is accepted. */
class RegionInput extends PartialType(PickType(User, ['region'])) {}

const BOOKKEEPING = ['id', 'version', 'createdAt', 'updatedAt'];

@ReadOnly(...BOOKKEEPING)
export class CreateUser extends IntersectionType(PickType(User, ['email', 'fullName', 'role']), RegionInput) {
  @ApiProperty(PASSWORD)
  @MinLength(PASSWORD_MIN)
  @MaxLength(PASSWORD_MAX)
  @IsString()
  password!: string;
}

/** JSON merge patch: what is absent stays; `null` is for `region` alone. */
@ReadOnly(...BOOKKEEPING, 'email')
export class UpdateUser extends IntersectionType(
  PartialType(PickType(User, ['fullName', 'role', 'disabled']), { skipNullProperties: false }),
  RegionInput,
) {
  @ApiPropertyOptional({ ...PASSWORD, description: `${PASSWORD.description} Ends the person's sessions.` })
  @ValidateIf((_, password) => password !== undefined)
  @MinLength(PASSWORD_MIN)
  @MaxLength(PASSWORD_MAX)
  @IsString()
  password?: string;
}

/** An account as it is answered: everything but the password. */
export class UserView extends OmitType(User, ['passwordHash']) {}

export function viewOf(user: User): UserView {
  const { passwordHash: _, ...view } = user;
  return view;
}

export class UserPage {
  @ApiProperty({ type: [UserView] })
  items!: UserView[];

  @ApiProperty({ type: String, nullable: true })
  nextCursor!: string | null;

  @ApiPropertyOptional({ type: 'integer', description: 'Only when asked for with `total=true`.' })
  @IsOptional()
  total?: number;
}
