import { checkCharacter } from '../medical-id/check-character.js';

const ALPHABET = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ';
const CORE = /^([A-Z]{2,4})([0-9A-Z]{4})([0-9A-Z]{4})([0-9A-Z])$/;

/**
 * The generated medical ids that someone can have meant by `text`: itself, or one slip away. Of the
 * thousand strings that are one slip away, the check character leaves some thirty.
 */
export function medicalIdGuesses(text: string): string[] {
  const core = text.toUpperCase().replaceAll(/[^0-9A-Z]/g, '');
  if (core.length < 10 || core.length > 14) return [];
  return [...new Set([core, ...oneSlipAway(core)].flatMap(asMedicalId))];
}

function oneSlipAway(text: string): string[] {
  return Array.from({ length: text.length + 1 }, (_, at) => {
    const before = text.slice(0, at);
    const after = text.slice(at + 1);
    return [
      ...[...ALPHABET].flatMap((letter) => [before + letter + after, before + letter + text.slice(at)]),
      before + after,
      before + after.charAt(0) + text.charAt(at) + after.slice(1),
    ];
  }).flat();
}

function asMedicalId(core: string): string[] {
  const [, region, first, second, check] = CORE.exec(core) ?? [];
  if (!region || !first || !second || !check) return [];
  if (checkCharacter(region + first + second) !== check) return [];
  return [`${region}-${first}-${second}-${check}`];
}
