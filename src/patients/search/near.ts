const EARTH_RADIUS_KM = 6371.0088;
const KM_PER_DEGREE = (EARTH_RADIUS_KM * Math.PI) / 180;
const DECIMAL = String.raw`([+-]?\d{1,3}(?:\.\d{1,15})?)`;
const POINT = new RegExp(`^${DECIMAL},\\s?${DECIMAL}$`);

/** Degrees. */
export interface Point {
  readonly latitude: number;
  readonly longitude: number;
}

/** Degrees. `west` and `east` are absent when the circle reaches a pole or crosses the 180th meridian. */
export interface Box {
  readonly south: number;
  readonly north: number;
  readonly west?: number;
  readonly east?: number;
}

/** The point of `near=14.67,-17.44`; `undefined` for another form. */
export function readPoint(text: string): Point | undefined {
  const [, latitude, longitude] = POINT.exec(text) ?? [];
  if (latitude === undefined || longitude === undefined) return undefined;
  return { latitude: Number(latitude), longitude: Number(longitude) };
}

export function isOnGlobe({ latitude, longitude }: Point): boolean {
  return Math.abs(latitude) <= 90 && Math.abs(longitude) <= 180;
}

/** The smallest box that holds the circle: what an index can look up. */
export function boxAround({ latitude, longitude }: Point, radiusKm: number): Box {
  const height = radiusKm / KM_PER_DEGREE;
  const [south, north] = [latitude - height, latitude + height];
  if (south <= -90 || north >= 90) return { south, north };
  // The circle is widest not at its centre but where a meridian touches it.
  const sine = Math.sin(radians(height)) / Math.cos(radians(latitude));
  const width = (Math.asin(Math.min(1, sine)) * 180) / Math.PI;
  const [west, east] = [longitude - width, longitude + width];
  return west < -180 || east > 180 ? { south, north } : { south, north, west, east };
}

/** Great-circle distance in km from the parameters `:latitude` and `:longitude` (haversine, mean radius). */
export const DISTANCE_KM = `(2 * ${EARTH_RADIUS_KM} * asin(least(1, sqrt(
  sin(radians((p.location -> 'latitude')::float8 - :latitude) / 2) ^ 2
  + cos(radians(:latitude)) * cos(radians((p.location -> 'latitude')::float8))
  * sin(radians((p.location -> 'longitude')::float8 - :longitude) / 2) ^ 2))))`;

function radians(degrees: number): number {
  return (degrees * Math.PI) / 180;
}
