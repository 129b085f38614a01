import { Column, Entity, PrimaryColumn } from 'typeorm';

/** One link of a session's chain of refresh tokens. The token itself is known to the client alone. */
@Entity('refresh_tokens')
export class RefreshToken {
  /** SHA-256 of the token. */
  @PrimaryColumn('bytea')
  hash!: Buffer;

  @Column('uuid')
  sessionId!: string;

  @Column({ type: 'timestamptz', precision: 3 })
  expiresAt!: Date;

  /** When the next token of the chain was made from this one. */
  @Column({ type: 'timestamptz', precision: 3, nullable: true })
  rotatedAt!: Date | null;
}
