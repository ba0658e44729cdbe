/** /v1/cluster/shards, /plan and /moves: how the cluster changes its shape, as the coordinators' leader knows it. */
import { Controller, Delete, Get, HttpCode, Param, Patch, Post, Req, Res } from '@nestjs/common';
import {
  OperationalError,
  cancelRequestSchema,
  dryRunRequestSchema,
  planPatchSchema,
  recoverRequestSchema,
  shardPatchSchema,
  shardsByName,
} from '@ringleader/contracts';
import type {
  DryRun,
  MoveList,
  PlacedShard,
  PlacementCommand,
  Plan,
  PlanEpoch,
  RecoveryView,
  ShardList,
} from '@ringleader/contracts';
import { Coordination } from '@ringleader/service-host';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { ADMINISTER, READ_CLUSTER, Access } from '../access/access.js';
import { ifMatchOf } from '../http/if-match.js';
import { MERGE_PATCH, jsonBody } from '../http/json-body.js';
import { invalidParameter } from '../http/request-target.js';
import { refuseConditions, refuseOtherConditions } from '../kv/preconditions.js';
import {
  DescribeChangeShard,
  DescribeDryRun,
  DescribeMoves,
  DescribeMovesChange,
  DescribePatchPlan,
  DescribePatchShard,
  DescribePlan,
  DescribeRecover,
  DescribeRemoveShard,
  DescribeShard,
  DescribeShards,
} from '../openapi/placement-descriptions.js';
import { nameAndAction, optionsOf, refuseFields } from './operator-request.js';
import type { Placement } from './placement-observer.js';

@Controller('v1/cluster')
export class PlacementController {
  constructor(private readonly coordination: Coordination) {}

  @Access(READ_CLUSTER)
  @DescribeShards()
  @Get('shards')
  async shards(
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<ShardList> {
    const { shards } = await this.#placement(request, reply);
    return { items: shards };
  }

  @Access(READ_CLUSTER)
  @DescribeShard()
  @Get('shards/:shard')
  async shard(
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
    @Param('shard') name: string,
  ): Promise<PlacedShard> {
    const { shards } = await this.#placement(request, reply);
    const byName = shardsByName(shards);
    const found = byName.get(name);
    if (found !== undefined) return found;
    const details = { shard: name, shards: [...byName.keys()] };
    throw new OperationalError('SHARD_NOT_FOUND', `There is no shard ${JSON.stringify(name)}`, details);
  }

  /** `NAME:drain` and `NAME:undrain`. */
  @Access(ADMINISTER)
  @DescribeChangeShard()
  @Post('shards/:shard')
  @HttpCode(200)
  changeShard(
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
    @Param('shard') parameter: string,
  ): Promise<PlanEpoch> {
    const [shard, kind] = nameAndAction(parameter);
    if (kind === 'drain' || kind === 'undrain') {
      refuseFields(request, 'The change of the shard');
      return this.#change(request, reply, { kind, shard });
    }
    const allowed = ['drain', 'undrain'];
    throw invalidParameter('shard', 'What is to be done with a shard is :drain or :undrain', { allowed });
  }

  @Access(ADMINISTER)
  @DescribePatchShard()
  @Patch('shards/:shard')
  patchShard(
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
    @Param('shard') shard: string,
  ): Promise<PlanEpoch> {
    const { weight } = jsonBody(request, shardPatchSchema, 'The change of the shard', [MERGE_PATCH]);
    return this.#change(request, reply, { kind: 'weight', shard, weight });
  }

  @Access(ADMINISTER)
  @DescribeRemoveShard()
  @Delete('shards/:shard')
  removeShard(
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
    @Param('shard') shard: string,
  ): Promise<PlanEpoch> {
    refuseFields(request, 'The removal');
    return this.#change(request, reply, { kind: 'remove', shard });
  }

  @Access(READ_CLUSTER)
  @DescribePlan()
  @Get('plan')
  async plan(@Req() request: FastifyRequest, @Res({ passthrough: true }) reply: FastifyReply): Promise<Plan> {
    return (await this.#placement(request, reply)).plan;
  }

  @Access(ADMINISTER)
  @DescribePatchPlan()
  @Patch('plan')
  patchPlan(
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<PlanEpoch> {
    const { limits } = jsonBody(request, planPatchSchema, 'The change of the plan', [MERGE_PATCH]);
    return this.#change(request, reply, { kind: 'limits', limits });
  }

  /** The doubled colon is a plain one. */
  @Access(READ_CLUSTER)
  @DescribeDryRun()
  @Post('plan::dry-run')
  @HttpCode(200)
  async dryRun(
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<DryRun> {
    const { commands } = jsonBody(request, dryRunRequestSchema, 'The dry run');
    refuseConditions(request.headers, 'page');
    const planned = await this.coordination.ask('planPlacement', { commands }, optionsOf(request));
    tag(reply, planned.plan.epoch);
    return planned;
  }

  @Access(READ_CLUSTER)
  @DescribeMoves()
  @Get('moves')
  async moves(
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<MoveList> {
    const { plan } = await this.#placement(request, reply);
    return { items: plan.moves };
  }

  @Access(ADMINISTER)
  @DescribeMovesChange(
    'pauseMoves',
    'Pause all moves',
    'No move begins, and none goes on, until they are resumed.',
  )
  @Post('moves::pause')
  @HttpCode(200)
  pause(@Req() request: FastifyRequest, @Res({ passthrough: true }) reply: FastifyReply): Promise<PlanEpoch> {
    refuseFields(request, 'The pause');
    return this.#change(request, reply, { kind: 'pause' });
  }

  @Access(ADMINISTER)
  @DescribeMovesChange('resumeMoves', 'Let moves go on', 'After they were paused, or all cancelled.')
  @Post('moves::resume')
  @HttpCode(200)
  resume(
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<PlanEpoch> {
    refuseFields(request, 'The end of the pause');
    return this.#change(request, reply, { kind: 'resume' });
  }

  @Access(ADMINISTER)
  @DescribeMovesChange(
    'cancelMoves',
    'Take moves back that are under way',
    'That of one partition, or all of them, after which moves are paused.',
    'CancelRequest',
  )
  @Post('moves::cancel')
  @HttpCode(200)
  cancel(
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<PlanEpoch> {
    const { partition } = jsonBody(request, cancelRequestSchema, 'The cancellation');
    return this.#change(request, reply, { kind: 'cancel', ...(partition !== undefined && { partition }) });
  }

  @Access(ADMINISTER)
  @DescribeRecover()
  @Post('partitions::recover')
  @HttpCode(200)
  async recover(
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<RecoveryView> {
    const options = optionsOf(request);
    const { lost, dryRun } = jsonBody(request, recoverRequestSchema, 'What is asked of the partitions');
    refuseOtherConditions(request.headers);
    const ifEpoch = ifMatchOf(request.headers, 'the epoch of the plan');
    const asked = { lost, dryRun, ...(ifEpoch !== null && { ifEpoch }) };
    const recovery = await this.coordination.ask('recoverPartitions', asked, options);
    tag(reply, recovery.epoch);
    return recovery;
  }

  async #placement(request: FastifyRequest, reply: FastifyReply): Promise<Placement> {
    refuseConditions(request.headers, 'page');
    const placement = await this.coordination.ask('placement', {}, optionsOf(request));
    tag(reply, placement.plan.epoch);
    return placement;
  }

  async #change(request: FastifyRequest, reply: FastifyReply, command: PlacementCommand): Promise<PlanEpoch> {
    const options = optionsOf(request);
    refuseOtherConditions(request.headers);
    const ifEpoch = ifMatchOf(request.headers, 'the epoch of the plan');
    const asked = { command, ...(ifEpoch !== null && { ifEpoch }) };
    const changed = await this.coordination.ask('changePlacement', asked, options);
    tag(reply, changed.epoch);
    return changed;
  }
}

function tag(reply: FastifyReply, epoch: number): void {
  reply.header('ETag', `"${epoch}"`);
}
