import {
  type FieldGroup,
  isAllowed,
  type Permission,
  readableGroups,
  type Role,
  ROLES,
  writableGroups,
} from '../../src/accounts/roles.js';

/** The published table of roles, cell by cell. `x`: allowed. Columns are in the order of `ROLES`. */
const TABLE: readonly (readonly [Permission, string])[] = [
  //                     med spe inf sec reg nat aud
  ['patients:read', 'x x x x x x -'],
  ['patients:write', 'x x x x x x -'],
  ['patients:delete', '- - - - x x -'],
  ['records:read', 'x x x - x x -'],
  ['records:write', 'x x x - - - -'],
  ['prescriptions:read', 'x x x - x x -'],
  ['prescriptions:write', 'x x - - - - -'],
  ['conflicts:read', 'x x - - x x x'],
  ['oversight:read', '- - - - x x x'],
  ['oversight:manage', '- - - - x x -'],
  ['users:read', '- - - - x x x'],
  ['users:write', '- - - - x x -'],
  ['sync:read', 'x x x x x x x'],
  ['sync:manage', '- - - - x x -'],
  ['journal:read', '- - - - x x x'],
  ['national:read', 'x x x x x x -'],
  ['national:write', '- - - - - x -'],
  ['national:copy', 'x x - - x x -'],
  ['regions:write', '- - - - - x -'],
  ['imports:write', '- - - - x x -'],
];

const GROUPS: Readonly<Record<Role, { reads: FieldGroup[]; writes: FieldGroup[] }>> = {
  medecin: { reads: ['identity', 'contact', 'clinical'], writes: ['identity', 'contact', 'clinical'] },
  specialiste: { reads: ['identity', 'contact', 'clinical'], writes: ['clinical'] },
  infirmier: { reads: ['identity', 'contact', 'clinical'], writes: ['contact'] },
  secretaire: { reads: ['identity', 'contact'], writes: ['identity', 'contact'] },
  admin_regional: { reads: ['identity', 'contact', 'clinical'], writes: ['identity', 'contact'] },
  admin_national: { reads: ['identity', 'contact', 'clinical'], writes: ['identity', 'contact'] },
  auditeur: { reads: [], writes: [] },
};

const cells = TABLE.flatMap(([permission, row]) =>
  row.split(' ').map((cell, column) => [ROLES[column]!, permission, cell === 'x'] as const),
);

test.each(cells)('%s, %s: %s', (role, permission, allowed) => {
  expect(isAllowed(role, permission)).toBe(allowed);
});

test.each(ROLES)('%s reads and writes the fields of its groups', (role) => {
  expect(readableGroups(role)).toEqual(GROUPS[role].reads);
  expect(writableGroups(role)).toEqual(GROUPS[role].writes);
});
