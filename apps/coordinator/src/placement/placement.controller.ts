/** Placement over NATS: what shards report, and what operators read and ask. Served by the leader. */
import { Controller } from '@nestjs/common';
import { coordinatorContracts } from '@ringleader/contracts';
import type { RequestOf, ResponseOf, Speaker } from '@ringleader/contracts';
import { Handles } from '@ringleader/nats';
import type { Overview } from '@ringleader/placement';
import { PlacementService } from './placement.service.js';

const { reportMoves, placement, planPlacement, changePlacement } = coordinatorContracts;

@Controller()
export class PlacementController {
  constructor(private readonly service: PlacementService) {}

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
}

const iso = (ms: number): string => new Date(ms).toISOString();

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
