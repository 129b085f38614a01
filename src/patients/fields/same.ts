import { sameText } from '../../journal/same-text.js';

/** Metres within which two positions are one place: what a telephone's GPS is off by. */
const PLACE_METRES = 50;
const EARTH_RADIUS_METRES = 6_371_000;

/** Whether two phone numbers are dialled the same, however they are written. */
export function samePhone(one: unknown, other: unknown): boolean {
  return sameText(dialled(one), dialled(other));
}

/** Whether two lists hold the same items, in any order. */
export function sameList(one: unknown, other: unknown): boolean {
  if (!Array.isArray(one) || !Array.isArray(other)) return sameText(one, other);
  const holds = (list: unknown[], item: unknown) => list.some((candidate) => sameText(candidate, item));
  return one.every((item) => holds(other, item)) && other.every((item) => holds(one, item));
}

/** Whether two positions `{latitude, longitude}`, in degrees, are less than 50 m apart. */
export function samePlace(one: unknown, other: unknown): boolean {
  if (!isPosition(one) || !isPosition(other)) return sameText(one, other);
  return distance(one, other) <= PLACE_METRES;
}

interface Position {
  readonly latitude: number;
  readonly longitude: number;
}

function dialled(value: unknown): unknown {
  return typeof value === 'string' ? value.replace(/[^\d+]/g, '').replace(/^00/, '+') : value;
}

function isPosition(value: unknown): value is Position {
  const { latitude, longitude } = (value ?? {}) as Partial<Position>;
  return typeof latitude === 'number' && typeof longitude === 'number';
}

/** The haversine formula. */
function distance(one: Position, other: Position): number {
  const radians = (degrees: number) => (degrees * Math.PI) / 180;
  const half = (a: number, b: number) => Math.sin(radians(b - a) / 2) ** 2;
  const chord =
    half(one.latitude, other.latitude) +
    Math.cos(radians(one.latitude)) *
      Math.cos(radians(other.latitude)) *
      half(one.longitude, other.longitude);
  return 2 * EARTH_RADIUS_METRES * Math.asin(Math.min(1, Math.sqrt(chord)));
}
