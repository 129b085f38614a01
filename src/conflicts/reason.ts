import { applyDecorators } from '@nestjs/common';
import { Transform } from 'class-transformer';
import { IsString, Matches, MaxLength } from 'class-validator';

export const REASON_MAX = 500;

/** Without control characters but those between lines, which PostgreSQL cannot all store. */
const STORABLE = /^(?:[\n\r\t]|[^\p{Cc}\p{Cs}])*$/u;
const VISIBLE = /[^\p{White_Space}\p{Default_Ignorable_Code_Point}\p{C}]/u;

/** Why a person decided so: text that says something, of at most {@link REASON_MAX} characters. */
export function Reason(): PropertyDecorator {
  return applyDecorators(
    Transform(({ value }) =>
      typeof value === 'string' ? value.normalize('NFC').trim() : (value as unknown),
    ),
    IsString(),
    MaxLength(REASON_MAX, { message: `must be at most ${REASON_MAX} characters` }),
    Matches(VISIBLE, { message: 'must say why' }),
    Matches(STORABLE, { message: 'must not have control characters' }),
  );
}
