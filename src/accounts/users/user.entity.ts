import { ApiProperty } from '@nestjs/swagger';
import { Transform } from 'class-transformer';
import { IsBoolean, IsEmail, IsIn, IsString, Matches, MaxLength } from 'class-validator';
import { Column, Entity, PrimaryColumn } from 'typeorm';
import { ROLES, type Role } from '../roles.js';

/** Something to read, and nothing invisible: no control characters, no halves of surrogate pairs. */
const READABLE = /^[^\p{Cc}\p{Cs}]*[\p{L}\p{N}][^\p{Cc}\p{Cs}]*$/u;

/** A person who may sign in at this node. Never replicated, never removed: accounts are disabled. */
@Entity('users')
export class User {
  @ApiProperty({ format: 'uuid', example: '0193b1f2-7c4e-7d2a-9a51-3f0c5d8e6b21' })
  @PrimaryColumn('uuid')
  id!: string;

  @ApiProperty({ format: 'email', example: 'awa.diop@medlink.example', description: 'Kept in lower case.' })
  @Transform(({ value }: { value: unknown }) =>
    typeof value === 'string' ? value.trim().toLowerCase() : value,
  )
  @IsEmail({}, { message: 'must be an e-mail address' })
  @MaxLength(254)
  @IsString()
  @Column('text')
  email!: string;

  @Column('text')
  passwordHash!: string;

  @ApiProperty({ example: 'Awa Diop', minLength: 1, maxLength: 200 })
  @Transform(({ value }: { value: unknown }) =>
    typeof value === 'string' ? value.trim().normalize('NFC') : value,
  )
  @Matches(READABLE, { message: 'must have a letter or a digit, and no control character' })
  @MaxLength(200)
  @IsString()
  @Column('text')
  fullName!: string;

  @ApiProperty({ enum: ROLES, example: 'medecin' })
  @IsIn(ROLES, { message: `must be one of ${ROLES.join(', ')}` })
  @IsString()
  @Column('text')
  role!: Role;

  @ApiProperty({
    type: String,
    nullable: true,
    example: 'DKR',
    description:
      'The region whose patients the person sees: by default that of the caller, or of the node. `admin_national` ' +
      'is always national (null, whatever is sent), `auditeur` may be.',
  })
  @Matches(/^[A-Z]{2,4}$/, { message: 'must be two to four capital letters' })
  @IsString()
  @Column('text', { nullable: true })
  region!: string | null;

  @ApiProperty({ type: Boolean, example: false, description: 'A disabled account cannot sign in.' })
  @IsBoolean()
  @Column('boolean')
  disabled!: boolean;

  @ApiProperty({ type: 'integer', example: 1 })
  @Column('integer')
  version!: number;

  @ApiProperty({ format: 'date-time', type: String })
  @Column({ type: 'timestamptz', precision: 3 })
  createdAt!: Date;

  @ApiProperty({ format: 'date-time', type: String })
  @Column({ type: 'timestamptz', precision: 3 })
  updatedAt!: Date;
}
