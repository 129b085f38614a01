import { applyDecorators } from '@nestjs/common';
import { Transform } from 'class-transformer';
import { IsString, ValidateBy } from 'class-validator';
import { parsePhoneNumberFromString } from 'libphonenumber-js/core';
import metadata from 'libphonenumber-js/metadata.min.json' with { type: 'json' };

/** `+221771234567` for `+221 77 123 45 67` or `00221 77 123 45 67`. `undefined`: no international number. */
export function toE164(text: string): string | undefined {
  const number = parsePhoneNumberFromString(text.trim().replace(/^00/, '+'), metadata);
  return number?.isPossible() && !number.ext ? number.number : undefined;
}

/** An international phone number, kept in E.164. */
export function Phone(): PropertyDecorator {
  return applyDecorators(
    Transform(({ value }) => (typeof value === 'string' ? (toE164(value) ?? value) : (value as unknown))),
    IsString(),
    ValidateBy({
      name: 'isPhone',
      validator: {
        validate: (value: unknown) => typeof value === 'string' && toE164(value) === value,
        defaultMessage: () => 'must be a phone number with its country code, like +221 77 123 45 67',
      },
    }),
  );
}
