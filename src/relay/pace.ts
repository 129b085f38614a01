/** How long after a commit of this node somebody still counts as working here, in milliseconds. */
const AT_WORK_MS = 1_000;
/** Entries in a chunk meanwhile: each part of its way then takes less time than a clinician notices. */
const SMALL_CHUNK = 250;
/** A rest, in times of what the chunk before it took. */
const REST = 2;
/** Longest rest, in milliseconds: where a chunk takes longer, it is not this machine that is slow. */
const LONGEST_REST_MS = 200;

/**
 * How fast a backlog is sent. While people write, their requests come first: chunks are small, and after each of them
 * the relay rests for twice as long as it took, so that the node and its database are there for others most of the time.
 */
export class Pace {
  /** By the monotonic clock. */
  private lastCommit = -Infinity;

  constructor(private readonly now: () => number = () => performance.now()) {}

  /** Somebody has written here. */
  noteCommit(): void {
    this.lastCommit = this.now();
  }

  /** Whether requests come first, when the link would take `ofLink` entries at a time: a slow link leaves time for them. */
  givesWay(ofLink: number): boolean {
    return ofLink > SMALL_CHUNK && this.now() - this.lastCommit < AT_WORK_MS;
  }

  /** How many entries to send at a time, of as many as the link would take. */
  entries(ofLink: number): number {
    return this.givesWay(ofLink) ? SMALL_CHUNK : ofLink;
  }

  /** How long to rest, in milliseconds, behind a chunk that took `chunkMs`. */
  rest(chunkMs: number): number {
    return Math.min(REST * chunkMs, LONGEST_REST_MS);
  }
}
