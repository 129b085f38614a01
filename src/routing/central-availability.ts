/**
 * Whether the central connection is open: reached, migrated or found compatible, and ready for queries.
 * Set by the databases alone. It stays true when central goes away afterwards: then its queries fail.
 */
export class CentralAvailability {
  isOpen = false;
}
