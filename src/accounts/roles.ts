export const ROLES = [
  'medecin',
  'specialiste',
  'infirmier',
  'secretaire',
  'admin_regional',
  'admin_national',
  'auditeur',
] as const;

export type Role = (typeof ROLES)[number];

export type Permission =
  | 'patients:read'
  | 'patients:write'
  | 'patients:delete'
  | 'records:read'
  | 'records:write'
  | 'prescriptions:read'
  | 'prescriptions:write'
  | 'conflicts:read'
  | 'oversight:read'
  | 'oversight:manage'
  | 'users:read'
  | 'users:write'
  | 'sync:read'
  | 'sync:manage'
  | 'journal:read'
  | 'national:read'
  | 'national:write'
  | 'national:copy'
  | 'regions:write'
  | 'imports:write';

/** The kinds of fields that a patient's file is made of. */
export type FieldGroup = 'identity' | 'contact' | 'clinical';

interface Rights {
  readonly permissions: readonly Permission[];
  readonly reads: readonly FieldGroup[];
  readonly writes: readonly FieldGroup[];
}

const EVERY_GROUP: readonly FieldGroup[] = ['identity', 'contact', 'clinical'];

const CLINICIAN: readonly Permission[] = [
  'patients:read',
  'patients:write',
  'records:read',
  'records:write',
  'prescriptions:read',
  'prescriptions:write',
  'conflicts:read',
  'national:read',
  'national:copy',
  'sync:read',
];

const ADMINISTRATOR: readonly Permission[] = [
  'patients:read',
  'patients:write',
  'patients:delete',
  'records:read',
  'prescriptions:read',
  'conflicts:read',
  'oversight:read',
  'oversight:manage',
  'users:read',
  'users:write',
  'sync:read',
  'sync:manage',
  'journal:read',
  'national:read',
  'national:copy',
  'imports:write',
];

/** The one table of who may do what. Where a right ends (own region, observations only) is the resource's own rule. */
const RIGHTS: Readonly<Record<Role, Rights>> = {
  medecin: { permissions: CLINICIAN, reads: EVERY_GROUP, writes: EVERY_GROUP },
  specialiste: { permissions: CLINICIAN, reads: EVERY_GROUP, writes: ['clinical'] },
  infirmier: {
    permissions: [
      'patients:read',
      'patients:write',
      'records:read',
      'records:write',
      'prescriptions:read',
      'national:read',
      'sync:read',
    ],
    reads: EVERY_GROUP,
    writes: ['contact'],
  },
  secretaire: {
    permissions: ['patients:read', 'patients:write', 'national:read', 'sync:read'],
    reads: ['identity', 'contact'],
    writes: ['identity', 'contact'],
  },
  admin_regional: { permissions: ADMINISTRATOR, reads: EVERY_GROUP, writes: ['identity', 'contact'] },
  admin_national: {
    permissions: [...ADMINISTRATOR, 'national:write', 'regions:write'],
    reads: EVERY_GROUP,
    writes: ['identity', 'contact'],
  },
  auditeur: {
    permissions: ['conflicts:read', 'oversight:read', 'users:read', 'sync:read', 'journal:read'],
    reads: [],
    writes: [],
  },
};

export function permissionsOf(role: Role): readonly Permission[] {
  return RIGHTS[role].permissions;
}

export function isAllowed(role: Role, permission: Permission): boolean {
  return RIGHTS[role].permissions.includes(permission);
}

/** The field groups of a patient that `role` may see, search and follow in the history. */
export function readableGroups(role: Role): readonly FieldGroup[] {
  return RIGHTS[role].reads;
}

/** The field groups of a patient that `role` may set. */
export function writableGroups(role: Role): readonly FieldGroup[] {
  return RIGHTS[role].writes;
}
