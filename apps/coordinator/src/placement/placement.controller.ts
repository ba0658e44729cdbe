/** Placement over NATS: what shards report, and what operators read and ask. Served by the leader. */
import { Controller } from '@nestjs/common';
import { OperationalError, coordinatorContracts } from '@ringleader/contracts';
import type { RequestOf, ResponseOf, Speaker } from '@ringleader/contracts';
import { Handles } from '@ringleader/nats';
import type { Overview } from '@ringleader/placement';
import { ServiceLogger } from '@ringleader/service-host';
import { IncidentsService } from '../incidents/incidents.service.js';
import { PlacementService, type Recovered } from './placement.service.js';

const { reportMoves, placement, planPlacement, changePlacement, recoverPartitions } = coordinatorContracts;

@Controller()
export class PlacementController {
  constructor(
    private readonly service: PlacementService,
    private readonly incidents: IncidentsService,
    private readonly logger: ServiceLogger,
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
    const recovered = await this.service.recover(lost, ifEpoch);
    await this.#report(recovered);
    const { failure, partitions } = recovered;
    if (failure === undefined) return recoveryToWire(recovered);
    const detail = `${failure.message}. ${partitions.length} partitions go on without a majority by now: ask again for the others`;
    throw new OperationalError(failure.code, detail, failure.details);
  }

  /** It is done, whether that is written down or not. */
  async #report({ partitions, nameOf }: Recovered): Promise<void> {
    const ordinals = [...new Set(partitions.flatMap(({ lost }) => lost))];
    const [first] = ordinals;
    if (first === undefined) return;
    const detail =
      `${partitions.length} partitions went on without a majority, because a person said so: ` +
      `what only ${ordinals.map(nameOf).join(' and ')} had of them is lost`;
    try {
      await this.incidents.add({
        ...{ kind: 'MAJORITY_LOST', shard: nameOf(first), ordinal: first, partition: null, keys: [] },
        ...{ detail, mended: true },
      });
    } catch (error) {
      if (!(error instanceof OperationalError)) throw error;
      this.logger.warn({ error, detail }, 'A recovery was not written down as an incident');
    }
  }
}

const iso = (ms: number): string => new Date(ms).toISOString();

function recoveryToWire({ epoch, partitions, nameOf }: Recovered): ResponseOf<typeof recoverPartitions> {
  const named = partitions.map(({ partition, kept, copying, lost }) => {
    return { partition, kept: kept.map(nameOf), copying: copying.map(nameOf), lost: lost.map(nameOf) };
  });
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
