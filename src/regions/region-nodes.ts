import type { DataSource } from 'typeorm';
import { nodeState } from './node-state.js';
import type { RegionNodeView } from './region.dto.js';

interface NodeRow {
  readonly region: string;
  readonly lastSeenAt: Date | null;
  readonly appliedAt: Date | null;
  readonly pendingDown: number;
  readonly oldestPendingAt: Date | null;
  readonly now: Date;
}

/** What its node has said that it has is behind it; what was handed to the region above that is not. */
const NODES = `
  SELECT region.code AS region,
         CASE WHEN n.node_id IS NOT NULL
              THEN greatest(n.last_seen_at, up.applied_at, down.acknowledged_at) END AS "lastSeenAt",
         up.applied_at AS "appliedAt", waiting.pending AS "pendingDown",
         (SELECT j.at FROM journal j WHERE j.seq = waiting.oldest) AS "oldestPendingAt", clock_timestamp() AS now
  FROM unnest($1::text[]) AS region(code)
  LEFT JOIN region_nodes n ON n.region = region.code
  LEFT JOIN replication_cursors up ON up.origin = region.code AND up.seq > 0
  LEFT JOIN replication_peers down ON down.peer = region.code
  CROSS JOIN LATERAL (
    SELECT count(*)::int AS pending, min(d.seq) AS oldest FROM deliveries d
    WHERE d.region = region.code AND d.seq > coalesce(down.acknowledged_seq, 0)
  ) waiting`;

export interface KnownNodes {
  readonly byRegion: ReadonlyMap<string, RegionNodeView>;
  /** When central said so, by its clock. */
  readonly at: Date;
}

/** The nodes of `regions` (codes), asked of central. */
export async function regionNodes(central: DataSource, regions: readonly string[]): Promise<KnownNodes> {
  const rows = await central.query<NodeRow[]>(NODES, [regions]);
  const views = rows.map(
    ({ region, now, ...node }) => [region, { state: nodeState(node.lastSeenAt, now), ...node }] as const,
  );
  return { byRegion: new Map(views), at: rows[0]?.now ?? new Date() };
}
