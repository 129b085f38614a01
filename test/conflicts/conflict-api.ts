import { randomUUID } from 'node:crypto';
import { call, newAccount } from '../accounts/api.js';
import { startApplication, type TestApplication } from '../harness/application.js';

export const AWA = {
  familyName: "N'Diaye",
  givenNames: 'Awa',
  birthDate: '1987-03-14',
  sex: 'female',
  phone: '+221771234567',
  allergies: ['Pénicilline'],
  bloodGroup: 'O+',
};

export interface Person {
  readonly id: string;
  readonly token: string;
}

type Fields = Record<string, { base: unknown; regional: unknown; central: unknown; kept?: string }>;

export interface Recorded {
  patientId: string;
  fields: Fields;
  kind?: string;
  severity?: string;
  state?: string;
  outcome?: string | null;
  region?: string;
  otherId?: string;
  createdAt?: string;
  /** Whose the regional values are. */
  author?: string;
  centralAuthor?: string;
  entity?: string;
}

/** A node with people of every role, and conflicts as central records them. */
export class ConflictedNode {
  private constructor(
    readonly node: TestApplication,
    readonly people: ReadonlyMap<string, Person>,
  ) {}

  static async start(environment: Record<string, string> = {}): Promise<ConflictedNode> {
    const node = await startApplication(environment);
    const admin = await node.adminToken();
    const people = new Map<string, Person>();
    const add = async (name: string, role: string, region: string | null) =>
      people.set(name, await newAccount(node.url, admin, { role, region }));
    for (const role of ['medecin', 'specialiste', 'infirmier', 'secretaire', 'admin_regional'])
      await add(role, role, 'DKR');
    await add('admin_national', 'admin_national', null);
    await add('auditeur', 'auditeur', null);
    await add('regional auditeur', 'auditeur', 'DKR');
    await add('medecin elsewhere', 'medecin', 'THS');
    await add('admin elsewhere', 'admin_regional', 'THS');
    await add('auditeur elsewhere', 'auditeur', 'THS');
    return new ConflictedNode(node, people);
  }

  person(name: string): Person {
    return this.people.get(name)!;
  }

  as(name: string) {
    const { token } = this.person(name);
    return (request: string, body?: unknown, headers?: Record<string, string>) =>
      call(this.node.url, request, { token, body, headers });
  }

  async register(fields: Record<string, unknown> = {}): Promise<string> {
    const { status, body } = await this.as('medecin')('POST /patients', { ...AWA, ...fields });
    if (status !== 201) throw new Error(`POST /patients: ${status} ${JSON.stringify(body)}`);
    return body.id as string;
  }

  /** Writes a conflict as it arrives from central: by column, with values as the database's JSON has them. */
  async recorded({
    patientId,
    fields,
    kind = 'fields',
    severity = 'high',
    state = 'open',
    outcome = null,
    region = 'DKR',
    otherId,
    createdAt = new Date().toISOString(),
    author = this.person('medecin').id,
    centralAuthor = randomUUID(),
    entity = 'patients',
  }: Recorded): Promise<string> {
    const id = randomUUID();
    const side = (value: unknown, actor: string, name: string, role: string, at: string, node: string) => ({
      ...{ value, actor, actorName: name, role, at, node },
    });
    const disputed = Object.entries(fields).map(([column, { base, regional, central, kept = 'central' }]) => [
      column,
      {
        base,
        regional: side(regional, author, 'Dr Fall', 'medecin', '2026-05-04T09:12:00.000Z', region),
        central: side(
          central,
          centralAuthor,
          'M. Ba',
          'admin_national',
          '2026-05-04T08:55:00.000Z',
          'central',
        ),
        kept,
      },
    ]);
    await this.node.regionale.query(
      `INSERT INTO conflicts (id, patient_id, entity, entity_id, other_id, region, kind, severity, state, outcome,
                              fields, version, created_at, updated_at, created_by, updated_by)
       VALUES ($1, $2, $3, $2, $4, $5, $6, $7, $8, $9, $10, 1, $11, $11, 'medlink', 'medlink')`,
      [
        ...[id, patientId, entity, otherId ?? null, region, kind, severity, state, outcome],
        JSON.stringify(Object.fromEntries(disputed)),
        createdAt,
      ],
    );
    return id;
  }

  async patientRow(id: string): Promise<Record<string, any> | undefined> {
    const { rows } = await this.node.regionale.query<Record<string, any>>(
      'SELECT * FROM patients WHERE id = $1',
      [id],
    );
    return rows[0];
  }

  /** Has central's journal tell the region of a change of a patient that it does not have now. */
  async cameDown(patientId: string, { op, after }: { op: string; after: object }): Promise<void> {
    await this.node.regionale.query(
      `INSERT INTO journal (seq, origin, origin_seq, incarnation, change_set, change_set_size, entity, entity_id, patient_id,
                            op, before, after, knows, actor, at, schema, captured_by)
       SELECT n.seq, 'central', n.seq, 1, n.seq, 1, 'patients', $1, $1, $2, '{}', $3, 0, 'medlink', now(), 1, 'application'
       FROM (SELECT nextval('journal_seq') AS seq) n`,
      [patientId, op, after],
    );
  }

  async journal(entityId: string): Promise<Record<string, any>[]> {
    const { rows } = await this.node.regionale.query<Record<string, any>>(
      'SELECT * FROM journal WHERE entity_id = $1 ORDER BY seq',
      [entityId],
    );
    return rows;
  }

  stop(): Promise<void> {
    return this.node.stop();
  }
}
