import { ApiProperty } from '@nestjs/swagger';
import { Transform } from 'class-transformer';
import { IsBoolean, IsString, Matches, MaxLength } from 'class-validator';
import { Column, Entity, PrimaryColumn } from 'typeorm';
import { Merge } from '../journal/merge-rule.js';
import { Replicated } from '../journal/replicated.js';

/** Something to read, and nothing invisible: no control characters, no halves of surrogate pairs. */
const READABLE = /^[^\p{Cc}\p{Cs}]*[\p{L}\p{N}][^\p{Cc}\p{Cs}]*$/u;

/** A region of the country. Kept at central, and known to every node. */
@Entity('regions')
@Replicated({ compartment: null, schema: 1 })
export class Region {
  @ApiProperty({ format: 'uuid', example: '01936b5e-7a10-7c3e-8f21-5b0d6c9e4a01' })
  @Merge('fixed')
  @PrimaryColumn('uuid')
  id!: string;

  @ApiProperty({ example: 'THS', pattern: '^[A-Z]{2,4}$', description: 'What `MEDLINK_REGION` is there.' })
  @Matches(/^[A-Z]{2,4}$/, { message: 'must be two to four capital letters' })
  @IsString()
  @Merge('fixed')
  @Column('text')
  code!: string;

  @ApiProperty({ example: 'Thiès', minLength: 1, maxLength: 200 })
  @Transform(({ value }: { value: unknown }) =>
    typeof value === 'string' ? value.trim().normalize('NFC') : value,
  )
  @Matches(READABLE, { message: 'must have a letter or a digit, and no control character' })
  @MaxLength(200)
  @IsString()
  @Merge('central')
  @Column('text')
  name!: string;

  @ApiProperty({ type: Boolean, example: true, description: 'Whether its nodes may exchange with central.' })
  @IsBoolean()
  @Merge('central')
  @Column('boolean')
  enabled!: boolean;

  @ApiProperty({ type: 'integer', example: 1 })
  @Merge('version')
  @Column('integer')
  version!: number;

  @ApiProperty({ format: 'date-time', type: String })
  @Merge('fixed')
  @Column({ type: 'timestamptz', precision: 3 })
  createdAt!: Date;

  @ApiProperty({ format: 'date-time', type: String })
  @Merge('stamp')
  @Column({ type: 'timestamptz', precision: 3 })
  updatedAt!: Date;

  @Merge('fixed')
  @Column('text')
  createdBy!: string;

  @Merge('stamp')
  @Column('text')
  updatedBy!: string;
}
