import { ValidateBy, type ValidationArguments } from 'class-validator';

/** The `context` of a check whose failure says that a value cannot be read at all: 400 rather than 422. */
export const MALFORMED: Readonly<{ malformed: true }> = { malformed: true };

/**
 * A check of one field: what `accepts` refuses is told as `message`. It is given the value and the object
 * that holds it.
 */
export function Check(
  name: string,
  message: string,
  accepts: (value: unknown, holder: object) => boolean,
  context?: typeof MALFORMED,
): PropertyDecorator {
  return ValidateBy(
    {
      name,
      validator: {
        validate: (value: unknown, about?: ValidationArguments) => accepts(value, about?.object ?? {}),
        defaultMessage: () => message,
      },
    },
    { context },
  );
}
