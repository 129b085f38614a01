import { applyDecorators } from '@nestjs/common';
import { Transform } from 'class-transformer';
import { IsString } from 'class-validator';
import { isCalendarDate } from '../../http/calendar-date.js';
import { Check, MALFORMED } from '../../http/check.js';

const OLDEST_YEARS = 130;
const INSTANT =
  /^([12]\d{3}-\d{2}-\d{2})(?:T([01]\d|2[0-3]):[0-5]\d(?::[0-5]\d(?:\.\d{1,9})?)?(?:Z|[+-]\d{2}:\d{2}))?$/;

/** An instant in ISO 8601 with its offset from UTC, or a day (its midnight, UTC). `undefined`: it is neither. */
export function readInstant(value: string): Date | undefined {
  const day = INSTANT.exec(value)?.[1];
  if (!isCalendarDate(day)) return undefined;
  const instant = new Date(value);
  return Number.isNaN(instant.getTime()) ? undefined : instant;
}

/** A calendar date, whatever the day. */
export function CalendarDate(): PropertyDecorator {
  return applyDecorators(
    IsString(),
    Check('isCalendarDate', 'must be a date that exists, as YYYY-MM-DD', isCalendarDate),
  );
}

/** A calendar date in a query: what does not even look like one is a 400. */
export function CalendarDateFilter(): PropertyDecorator {
  const inForm = (value: unknown) => typeof value === 'string' && /^\d{4}-\d{2}-\d{2}$/.test(value);
  return applyDecorators(
    Check('isDateForm', 'must be a date, as YYYY-MM-DD', inForm, MALFORMED),
    CalendarDate(),
  );
}

/** A calendar date on which someone alive today, or lately, can have been born. */
export function BirthDate(): PropertyDecorator {
  return applyDecorators(
    CalendarDate(),
    Check('isBirthDate', `must not be in the future nor more than ${OLDEST_YEARS} years ago`, (value) => {
      if (!isCalendarDate(value)) return true;
      const today = new Date().toISOString().slice(0, 10);
      const oldest = `${Number(today.slice(0, 4)) - OLDEST_YEARS}${today.slice(4)}`;
      return value <= today && value >= oldest;
    }),
  );
}

/** An instant, kept as ISO 8601 in UTC with milliseconds. */
export function Instant(): PropertyDecorator {
  return applyDecorators(
    Transform(({ value }) =>
      typeof value === 'string' ? (readInstant(value)?.toISOString() ?? value) : (value as unknown),
    ),
    IsString(),
    Check(
      'isInstant',
      'must be an ISO 8601 date and time with its offset, like 2026-05-04T09:30:00Z',
      isInstant,
    ),
  );
}

/** An {@link Instant} in a query: what does not even look like one is a 400. */
export function InstantFilter(): PropertyDecorator {
  const inForm = (value: unknown) => typeof value === 'string' && /^\d{4}-\d{2}-\d{2}(T|$)/.test(value);
  return applyDecorators(
    Check('isInstantForm', 'must be a date and time, like 2026-05-04T09:30:00Z', inForm, MALFORMED),
    Instant(),
  );
}

/** An {@link Instant} that has passed, and not before the birth as far as that is known. */
export function DeathInstant(): PropertyDecorator {
  return applyDecorators(
    Instant(),
    Check(
      'isPast',
      'must not be in the future',
      (value) => !isInstant(value) || new Date(value) <= new Date(),
    ),
    Check('isAfterBirth', 'must not be before the birth', (value, object) => {
      const { birthDate, birthDatePrecision } = object as {
        birthDate?: unknown;
        birthDatePrecision?: unknown;
      };
      if (!isInstant(value) || !isCalendarDate(birthDate)) return true;
      const known = birthDatePrecision === 'year' ? 4 : birthDatePrecision === 'month' ? 7 : 10;
      return value.slice(0, known) >= birthDate.slice(0, known);
    }),
  );
}

function isInstant(value: unknown): value is string {
  return typeof value === 'string' && readInstant(value) !== undefined;
}
