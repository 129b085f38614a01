import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { IsOptional, IsString, Matches } from 'class-validator';
import type { ImportFinding } from './import-finding.entity.js';
import {
  FINDING_LEVELS,
  IMPORT_FORMATS,
  IMPORT_STATES,
  type FindingLevel,
  type ImportFormat,
  type ImportRun,
  type ImportState,
} from './import-run.entity.js';

/** What names the sender when nobody does. */
export const DEFAULT_SOURCE = 'import';
export const SOURCE_NAME = /^[A-Za-z0-9][A-Za-z0-9._:/-]{0,99}$/;

export class StartImport {
  @ApiPropertyOptional({
    default: DEFAULT_SOURCE,
    description:
      'Names the system that the files come from. Two systems that count their patients alike must be ' +
      'given different names.',
    pattern: SOURCE_NAME.source,
  })
  @IsString()
  @Matches(SOURCE_NAME, {
    message: 'must be 1 to 100 of A-Z a-z 0-9 . _ : / -, and begin with a letter or digit',
  })
  source: string = DEFAULT_SOURCE;
}

export class ErrorsQuery {
  @ApiPropertyOptional({ description: 'The `errorsCursor` of the answer before. Opaque.' })
  @IsOptional()
  @IsString()
  errorsCursor?: string;
}

export class FindingView {
  @ApiProperty({ type: 'integer', description: 'The file, counted from 1.' })
  file!: number;

  @ApiProperty({ type: 'integer', description: 'The line, counted from 1. In CSV, the header is line 1.' })
  line!: number;

  @ApiProperty({
    enum: FINDING_LEVELS,
    description:
      '`error`: the line is not imported. `warning`: it is, without this. `skipped`: MedLink does not keep ' +
      'this kind; told once for all lines of the kind.',
  })
  level!: FindingLevel;

  @ApiProperty({ example: 'birthDate', description: 'The field; empty for the line as a whole.' })
  path!: string;

  @ApiProperty({ example: 'must be a date that exists, as YYYY-MM-DD' })
  message!: string;
}

export class ImportView {
  @ApiProperty({ format: 'uuid' })
  id!: string;

  @ApiProperty({ enum: IMPORT_FORMATS })
  format!: ImportFormat;

  @ApiProperty({ enum: IMPORT_STATES })
  state!: ImportState;

  @ApiProperty({ type: String, nullable: true, description: 'Why it failed as a whole.' })
  error!: string | null;

  @ApiProperty({ minimum: 0, maximum: 1, description: 'How much of the files has been read.' })
  progress!: number;

  @ApiProperty({ type: 'integer', description: 'Lines so far; each is in one of the five counts below.' })
  total!: number;

  @ApiProperty({ type: 'integer', description: 'New patients.' })
  created!: number;

  @ApiProperty({ type: 'integer', description: 'Lines that changed a patient: allergies, and newer data.' })
  updated!: number;

  @ApiProperty({ type: 'integer', description: 'Lines that say what was known.' })
  unchanged!: number;

  @ApiProperty({ type: 'integer', description: 'Lines of a kind that MedLink does not keep.' })
  skipped!: number;

  @ApiProperty({ type: 'integer', description: 'Lines with an error.' })
  failed!: number;

  @ApiProperty({ format: 'date-time' })
  createdAt!: Date;

  @ApiProperty({ description: 'Id of the account, or the name of the command.' })
  createdBy!: string;

  @ApiProperty({ type: String, format: 'date-time', nullable: true })
  startedAt!: Date | null;

  @ApiProperty({ type: String, format: 'date-time', nullable: true })
  finishedAt!: Date | null;
}

export class ImportDetails extends ImportView {
  @ApiProperty({ type: [FindingView], description: 'The first 100, or those after `errorsCursor`.' })
  errors!: readonly FindingView[];

  @ApiProperty({
    type: String,
    nullable: true,
    description: 'For the next 100; null when there are no more.',
  })
  errorsCursor!: string | null;
}

export class ImportPage {
  @ApiProperty({ type: [ImportView] })
  items!: readonly ImportView[];

  @ApiProperty({ type: String, nullable: true })
  nextCursor!: string | null;

  @ApiPropertyOptional({ type: 'integer' })
  total?: number;
}

export function viewOf(run: ImportRun): ImportView {
  const { id, format, state, error, total, created, updated, unchanged, skipped, failed } = run;
  const { createdAt, createdBy, startedAt, finishedAt } = run;
  return {
    ...{ id, format, state, error, progress: progressOf(run) },
    ...{ total, created, updated, unchanged, skipped, failed },
    ...{ createdAt, createdBy, startedAt, finishedAt },
  };
}

export function findingViewOf({ file, line, level, path, message }: ImportFinding): FindingView {
  return { file, line, level, path, message };
}

function progressOf({ state, bytesRead, bytesTotal }: ImportRun): number {
  if (state === 'done' || bytesTotal === 0) return 1;
  return Math.round(Math.min(1, bytesRead / bytesTotal) * 1000) / 1000;
}
