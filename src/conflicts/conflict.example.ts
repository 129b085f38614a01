const AT = '2026-05-04T09:12:00.000Z';

/** The conflict of the API documentation: two regions wrote another family name while apart. */
export const CONFLICT_EXAMPLE = {
  id: '01936b5e-9c20-7d4e-8f21-5b0d6c9e4a72',
  patientId: '01936b5e-7a10-7c3e-8f21-5b0d6c9e4a72',
  fields: {
    familyName: {
      base: "N'Diaye",
      regional: {
        value: "N'Diaye-Sow",
        actor: '01936b5e-0000-7c3e-8f21-000000000001',
        actorName: 'Dr Awa Fall',
        role: 'medecin',
        at: AT,
        node: 'DKR',
      },
      central: {
        value: 'Ndiaye',
        actor: '01936b5e-0000-7c3e-8f21-000000000002',
        actorName: 'Moussa Ba',
        role: 'admin_national',
        at: '2026-05-04T08:55:00.000Z',
        node: 'central',
      },
      kept: 'central',
      current: 'Ndiaye',
    },
  },
  reason: 'Carte d’identité vue au guichet',
  actor: '01936b5e-0000-7c3e-8f21-000000000003',
  actorName: 'Fatou Diop',
  at: AT,
} as const;
