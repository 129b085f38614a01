import { applyDecorators } from '@nestjs/common';
import { Transform } from 'class-transformer';
import { IsString, ValidateBy, type ValidationOptions } from 'class-validator';

/** Controls and halves of a surrogate pair; PostgreSQL cannot store U+0000, and UTF-8 not the halves. */
const FORBIDDEN = /[\p{Cc}\p{Surrogate}]/u;
const FORBIDDEN_IN_LINES = /(?![\n\r\t])[\p{Cc}\p{Surrogate}]/u;
/** Something that a reader sees: not only spaces, zero-width characters and other format characters. */
const VISIBLE = /[^\p{White_Space}\p{Default_Ignorable_Code_Point}\p{C}]/u;
const LETTER_OR_DIGIT = /(?!\p{Default_Ignorable_Code_Point})[\p{L}\p{N}]/u;

/** One line of text: trimmed, in Unicode's composed form (NFC), otherwise kept as it was written. */
export function Text(max: number): PropertyDecorator {
  return applyDecorators(
    Transform(({ value }) => tidy(value)),
    IsString(),
    IsText(max, isOneLine),
  );
}

/** A person's name: a {@link Text} with a letter or a digit of any script in it. */
export function PersonName(): PropertyDecorator {
  return applyDecorators(
    Transform(({ value }) => tidy(value)),
    IsString(),
    IsText(200, isName),
  );
}

/** Text of several lines. */
export function LongText(max: number): PropertyDecorator {
  return applyDecorators(
    Transform(({ value }) => composed(value)),
    IsString(),
    IsText(max, isLines),
  );
}

/** Each element of a list is a {@link Text}. */
export function TextList(max: number): PropertyDecorator {
  const each = { each: true };
  return applyDecorators(
    Transform(({ value }) => (Array.isArray(value) ? value.map(tidy) : (value as unknown))),
    IsString(each),
    IsText(max, isOneLine, each),
  );
}

function IsText(
  max: number,
  accepts: (text: string) => boolean,
  options?: ValidationOptions,
): PropertyDecorator {
  return ValidateBy(
    {
      name: 'isText',
      constraints: [max],
      validator: {
        validate: (value: unknown) => typeof value === 'string' && lengthOf(value) <= max && accepts(value),
        defaultMessage: () =>
          `${options?.each ? 'each entry ' : ''}must be 1 to ${max} characters of readable text, without control characters`,
      },
    },
    options,
  );
}

const isOneLine = (text: string) => !FORBIDDEN.test(text) && VISIBLE.test(text);
const isLines = (text: string) => !FORBIDDEN_IN_LINES.test(text) && VISIBLE.test(text);
const isName = (text: string) => !FORBIDDEN.test(text) && LETTER_OR_DIGIT.test(text);

/** In characters as people count them, not in UTF-16 units. */
function lengthOf(text: string): number {
  return [...text].length;
}

function composed(value: unknown): unknown {
  return typeof value === 'string' ? value.normalize('NFC') : value;
}

function tidy(value: unknown): unknown {
  return typeof value === 'string' ? value.normalize('NFC').trim() : value;
}
