/** Placement over NATS: what shards report, and what operators read and ask. Served by the leader. */
import { Controller } from '@nestjs/common';
import { OperationalError, coordinatorContracts } from '@ringleader/contracts';
import type { RequestOf, ResponseOf, Speaker } from '@ringleader/contracts';
import { Handles } from '@ringleader/nats';
import type { Overview, RecoveredPartition } from '@ringleader/placement';
import { invariant } from '@ringleader/primitives';
import { type IncidentReport, IncidentsService } from '../incidents/incidents.service.js';
import { PlacementService, type Recovered } from './placement.service.js';

const { reportMoves, placement, planPlacement, changePlacement, recoverPartitions } = coordinatorContracts;

@Controller()
export class PlacementController {
  constructor(
    private readonly service: PlacementService,
    private readonly incidents: IncidentsService,
  ) {}

  @Handles(reportMoves)
  reportMoves(
    { ordinal, ...said }: RequestOf<typeof reportMoves>,
    { member }: Speaker,
  ): ResponseOf<typeof reportMoves> {
    this.service.report(String(member), ordinal, said);
    return {};
  }

  @Handles(placement)
  placement(_request: RequestOf<typeof placement>): ResponseOf<typeof placement> {
    return toWire(this.service.overview());
  }

  @Handles(planPlacement)
  planPlacement({ commands }: RequestOf<typeof planPlacement>): ResponseOf<typeof planPlacement> {
    return toWire(this.service.imagine(commands));
  }

  @Handles(changePlacement)
  async changePlacement({
    command,
    ifEpoch,
  }: RequestOf<typeof changePlacement>): Promise<ResponseOf<typeof changePlacement>> {
    return { epoch: await this.service.change(command, ifEpoch) };
  }

  @Handles(recoverPartitions)
  async recoverPartitions({
    lost,
    dryRun,
    ifEpoch,
  }: RequestOf<typeof recoverPartitions>): Promise<ResponseOf<typeof recoverPartitions>> {
    if (dryRun) return recoveryToWire(this.service.imagineRecovery(lost, ifEpoch));
    const recovered = await this.service.recover(lost, ifEpoch, (partitions, nameOf) =>
      this.incidents.recorded(incidentOf(partitions, nameOf)),
    );
    const { failure, partitions } = recovered;
    if (failure === undefined) return recoveryToWire(recovered);
    const detail = `${failure.message}. ${partitions.length} partitions go on without a majority by now: ask again for the others`;
    throw new OperationalError(failure.code, detail, failure.details);
  }
}

function incidentOf(partitions: readonly RecoveredPartition[], nameOf: Recovered['nameOf']): IncidentReport {
  const lost = [...new Set(partitions.flatMap((one) => one.lost))].sort((a, b) => a - b);
  const [ordinal] = lost;
  invariant(ordinal !== undefined, 'what is recovered has lost somebody');
  const detail =
    `${partitions.length} partitions went on without a majority, because a person said so: ` +
    `what only ${lost.map(nameOf).join(' and ')} had of them is lost`;
  const about = { shard: nameOf(ordinal), ordinal, partition: null, keys: [] };
  return { kind: 'MAJORITY_LOST', ...about, detail, mended: true };
}

const iso = (ms: number): string => new Date(ms).toISOString();

function recoveryToWire({ epoch, partitions, nameOf }: Recovered): ResponseOf<typeof recoverPartitions> {
  const named = partitions.map(({ partition, kept, copying, down, lost }) => ({
    ...{ partition, kept: kept.map(nameOf), copying: copying.map(nameOf) },
    ...{ down: down.map(nameOf), lost: lost.map(nameOf) },
  }));
  return { epoch, partitions: named };
}

function toWire({ shards, plan }: Overview): ResponseOf<typeof placement> {
  return {
    shards: shards.map(({ sinceMs, ...shard }) => ({
      ...shard,
      since: iso(sinceMs),
      removable: shard.notRemovable === null,
    })),
    plan: {
      ...plan,
      moves: plan.moves.map(({ startedAtMs, ...move }) => ({
        ...move,
        startedAt: startedAtMs === null ? null : iso(startedAtMs),
      })),
    },
  };
}
