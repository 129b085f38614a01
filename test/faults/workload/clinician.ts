import type { Book } from '../book.js';
import type { Random } from '../random.js';
import type { Region } from '../world.js';
import { editOf, poisonOf } from './edits.js';
import { send, sendUntilAnswered, type WriteRequest } from './requests.js';

/** How often each is done. */
const HABITS = { register: 30, edit: 45, remove: 6, 'edit what is stale': 4, 'register twice': 4 } as const;

export interface Temper {
  /** Share of writes that central will never accept. */
  readonly poison: number;
  /** Share of requests whose client does not wait for the answer. */
  readonly impatience: number;
}

const PERSON = { givenNames: 'Awa', birthDate: '1990-02-03', sex: 'female' };

/** Someone who works with the application, one request after the other. */
export class Clinician {
  constructor(
    private readonly book: Book,
    private readonly region: Region,
    private readonly random: Random,
    private readonly temper: Temper,
  ) {}

  async doSomething(): Promise<void> {
    const habit = this.random.weighted(HABITS);
    const patients = this.book.patients(this.region.code);
    if (habit === 'register' || patients.length < 5) await this.register();
    else if (habit === 'register twice') await this.registerTwice();
    else await this.change(habit, this.random.pick(patients));
  }

  private async register(medicalId?: string): Promise<void> {
    const id = this.book.newId();
    const { body, sets } = this.editFor(id);
    const given = medicalId ?? (this.random.chance(0.5) ? id : undefined);
    const named = given === undefined ? {} : { medicalId: given };
    const patient = { ...PERSON, familyName: id, ...named, ...body };
    const retries = this.random.chance(0.5);
    const request: WriteRequest = {
      method: 'POST',
      path: '/patients',
      by: this.region.doctor,
      body: patient,
      headers: retries ? { 'idempotency-key': id } : {},
      refusals: medicalId === undefined ? [] : [409],
      op: 'insert',
      sets: { family_name: id, ...sets, ...(given !== undefined && { medical_id: given }) },
      abandonAfter: this.patience(),
    };
    await (retries ? sendUntilAnswered : send)(this.book, this.region, id, request);
  }

  /** A medical id that another patient has. */
  private registerTwice(): Promise<void> {
    const taken = this.book.writes.find(
      ({ op, outcome, sets, region }) =>
        op === 'insert' && outcome === 'acknowledged' && sets.medical_id && region === this.region.code,
    );
    return this.register(taken?.sets.medical_id as string | undefined);
  }

  private async change(habit: keyof typeof HABITS, record: string): Promise<void> {
    const id = this.book.newId();
    const common = { path: `/patients/${record}`, record, abandonAfter: this.patience() };
    const reason = this.random.chance(0.3) ? `because of ${id}` : undefined;
    if (habit === 'remove') {
      const by = this.region.administrator;
      const request = {
        ...common,
        method: 'DELETE',
        op: 'remove',
        by,
        reason,
        sets: {},
        refusals: [404],
      } as const;
      await send(this.book, this.region, id, request);
    } else {
      const stale = habit === 'edit what is stale';
      await send(this.book, this.region, id, {
        ...common,
        method: 'PATCH',
        op: 'update',
        by: this.region.doctor,
        reason,
        ...this.editFor(id),
        headers: stale ? { 'if-match': '"v0"' } : {},
        refusals: stale ? [404, 412] : [404],
      });
    }
  }

  private editFor(id: string) {
    return this.random.chance(this.temper.poison) ? poisonOf(id) : editOf(this.random, id);
  }

  private patience(): number | undefined {
    return this.random.chance(this.temper.impatience) ? this.random.between(1, 20) : undefined;
  }
}
