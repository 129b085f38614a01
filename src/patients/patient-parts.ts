import { ApiPropertyOptional, ApiProperty } from '@nestjs/swagger';
import { IsNumber, IsOptional, Max, Min } from 'class-validator';
import { Phone } from './fields/phone.js';
import { PersonName, Text } from './fields/text.js';
import { EXAMPLE } from './patient.example.js';

/** Where a patient lives. Moves as one. */
export class Address {
  @ApiPropertyOptional({ type: String, nullable: true, maxLength: 200, example: EXAMPLE.address.line })
  @IsOptional()
  @Text(200)
  line?: string | null;

  @ApiPropertyOptional({ type: String, nullable: true, maxLength: 100, example: EXAMPLE.address.city })
  @IsOptional()
  @Text(100)
  city?: string | null;

  @ApiPropertyOptional({ type: String, nullable: true, maxLength: 100, example: EXAMPLE.address.district })
  @IsOptional()
  @Text(100)
  district?: string | null;

  @ApiPropertyOptional({ type: String, nullable: true, maxLength: 20, example: EXAMPLE.address.postalCode })
  @IsOptional()
  @Text(20)
  postalCode?: string | null;

  @ApiPropertyOptional({
    type: String,
    nullable: true,
    maxLength: 100,
    example: EXAMPLE.address.country,
    description: 'ISO 3166-1 alpha-2 code where known, else the name.',
  })
  @IsOptional()
  @Text(100)
  country?: string | null;
}

/** WGS 84, in degrees. Moves as one. */
export class Location {
  @ApiProperty({ minimum: -90, maximum: 90, example: EXAMPLE.location.latitude })
  @IsNumber()
  @Min(-90)
  @Max(90)
  latitude!: number;

  @ApiProperty({ minimum: -180, maximum: 180, example: EXAMPLE.location.longitude })
  @IsNumber()
  @Min(-180)
  @Max(180)
  longitude!: number;
}

/** Whom to call. */
export class EmergencyContact {
  @ApiPropertyOptional({
    type: String,
    nullable: true,
    maxLength: 200,
    example: EXAMPLE.emergencyContact.name,
  })
  @IsOptional()
  @PersonName()
  name?: string | null;

  @ApiPropertyOptional({ type: String, nullable: true, example: EXAMPLE.emergencyContact.phone })
  @IsOptional()
  @Phone()
  phone?: string | null;

  @ApiPropertyOptional({
    type: String,
    nullable: true,
    maxLength: 100,
    example: EXAMPLE.emergencyContact.relationship,
  })
  @IsOptional()
  @Text(100)
  relationship?: string | null;
}
