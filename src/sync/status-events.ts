import { Injectable, Logger, type MessageEvent, type OnModuleDestroy } from '@nestjs/common';
import {
  defer,
  filter,
  finalize,
  map,
  merge,
  type Observable,
  ReplaySubject,
  repeat,
  retry,
  share,
} from 'rxjs';
import { takeUntil } from 'rxjs';
import type { SignedIn } from '../accounts/principal.js';
import { isAllowed } from '../accounts/roles.js';
import { SessionReader } from '../accounts/sessions/session.reader.js';
import { Problem } from '../http/problem.js';
import type { SyncStatusDto } from './sync-status.dto.js';
import { SyncStatusReader } from './sync-status.reader.js';

/** How often the status is read while anybody follows it. Milliseconds. */
const LOOK_EVERY_MS = 1_000;
/** A status that stays the same is told again after this, so that silence means that something is wrong. */
const REPEAT_AFTER_MS = 14_000;
/** How often it is asked whether a follower may still know. Milliseconds. */
const RECHECK_EVERY_MS = 5_000;
/** Windows of one person. */
const STREAMS_PER_ACCOUNT = 10;

/** The status, told to those who follow it. It is read once for all of them, and not at all without one. */
@Injectable()
export class StatusEvents implements OnModuleDestroy {
  private readonly logger = new Logger('Events');
  private readonly stopping = new ReplaySubject<void>(1);
  private readonly streams = new Map<string, number>();
  private readonly looks: Observable<SyncStatusDto>;

  constructor(
    private readonly status: SyncStatusReader,
    private readonly sessions: SessionReader,
  ) {
    this.looks = defer(() => status.read()).pipe(
      repeat({ delay: LOOK_EVERY_MS }),
      // While the database does not answer nothing is told, which is what followers are to notice.
      retry({ delay: LOOK_EVERY_MS }),
      share(),
    );
  }

  /** Streams end first: a server that stops waits for its requests. */
  onModuleDestroy(): void {
    this.stopping.next();
  }

  /**
   * Events `status`: at once, when it changes, and when it has stayed the same for a while. Ends when the session
   * does, when the account's rights change, and when the node stops. Throws a 429 {@link Problem}.
   */
  follow(follower: SignedIn): Observable<MessageEvent> {
    const open = this.streams.get(follower.id) ?? 0;
    if (open >= STREAMS_PER_ACCOUNT) throw tooManyStreams();
    this.streams.set(follower.id, open + 1);
    return merge(
      defer(() => this.status.read()),
      this.looks,
    ).pipe(
      filter(newsFilter()),
      map((data) => ({ type: 'status', data })),
      takeUntil(merge(this.stopping, this.endOf(follower))),
      finalize(() => this.close(follower)),
    );
  }

  private close({ id }: SignedIn): void {
    const left = (this.streams.get(id) ?? 1) - 1;
    if (left === 0) this.streams.delete(id);
    else this.streams.set(id, left);
  }

  /** Emits when the follower may know no longer, or nobody can tell. */
  private endOf(follower: SignedIn): Observable<boolean> {
    return defer(() => this.mayGoOn(follower)).pipe(
      repeat({ delay: RECHECK_EVERY_MS }),
      filter((mayGoOn) => !mayGoOn),
    );
  }

  private async mayGoOn({ sessionId, id, role, region }: SignedIn): Promise<boolean> {
    try {
      const now = await this.sessions.signedIn(sessionId, id);
      return (
        now !== undefined && now.role === role && now.region === region && isAllowed(now.role, 'sync:read')
      );
    } catch (error) {
      this.logger.debug(`A stream ends, as its session cannot be looked up: ${String(error)}`);
      return false;
    }
  }
}

/** Lets through what differs from the last that it let through, or comes long after it. */
function newsFilter(): (status: SyncStatusDto) => boolean {
  let last: { readonly text: string; readonly at: number } | undefined;
  return (status) => {
    const [text, at] = [JSON.stringify(status), performance.now()];
    if (last?.text === text && at - last.at < REPEAT_AFTER_MS) return false;
    last = { text, at };
    return true;
  };
}

function tooManyStreams(): Problem {
  return new Problem(429, 'too-many-streams', 'You follow the status in too many windows', {
    detail: 'Close one of them.',
    headers: { 'retry-after': '60' },
  });
}
