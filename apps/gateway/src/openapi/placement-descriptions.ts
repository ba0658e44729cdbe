/** The resources about shards, the plan and what is where, in the OpenAPI document. */
import { applyDecorators } from '@nestjs/common';
import { ApiHeader, ApiOperation, ApiParam, ApiQuery, ApiResponse, ApiTags } from '@nestjs/swagger';
import type { RestErrorCode } from '@ringleader/contracts';
import { ChangeProblems, Problems, TimeoutHeader, jsonContent } from './descriptions.js';

const TAG = 'Shards and moves';
const ETAG = { ETag: { description: 'The epoch of the plan, quoted.', schema: { type: 'string' as const } } };

const condition = ApiHeader({
  name: 'If-Match',
  required: false,
  description: '"17": only if this is still the epoch of the plan.',
  schema: { type: 'string', pattern: '^"[0-9]{1,15}"$' },
});
const shardParameter = (description: string, pattern = '^[^/:]+$'): MethodDecorator =>
  ApiParam({ name: 'shard', description, schema: { type: 'string', pattern } });

interface Described {
  readonly operationId: string;
  readonly summary: string;
  readonly description?: string;
  readonly requestBody?: Body;
}

interface Body {
  readonly required: boolean;
  readonly content: ReturnType<typeof jsonContent>;
}

/** What the coordinators' leader knows. */
function read(described: Described, schema: string, ...problems: RestErrorCode[]): MethodDecorator {
  return applyDecorators(
    ApiTags(TAG),
    ApiOperation(described),
    TimeoutHeader(),
    ApiResponse({ status: 200, description: 'At present.', headers: ETAG, content: jsonContent(schema) }),
    Problems('UNAVAILABLE', 'DEADLINE_EXCEEDED', ...problems),
  );
}

/** A command, under a condition. */
function command(described: Described, ...problems: RestErrorCode[]): MethodDecorator {
  return commandWith('PlanEpoch', described, ...problems);
}

function commandWith(schema: string, described: Described, ...problems: RestErrorCode[]): MethodDecorator {
  return applyDecorators(
    ApiTags(TAG),
    ApiOperation(described),
    condition,
    TimeoutHeader(),
    ApiResponse({
      status: 200,
      description: 'It is taken down; what it makes necessary is done in the background.',
      headers: ETAG,
      content: jsonContent(schema),
    }),
    ChangeProblems('PRECONDITION_FAILED', 'UNAVAILABLE', 'OUTCOME_UNKNOWN', 'DISK_FULL', ...problems),
  );
}

/** As it is named in docs/API.md, and plain JSON. */
function patchBody(schema: string): Body {
  const { 'application/json': content } = jsonContent(schema) as Record<
    'application/json',
    Body['content'][string]
  >;
  return {
    required: true,
    content: { 'application/merge-patch+json': content, 'application/json': content },
  };
}

export function DescribeShards(): MethodDecorator {
  const summary = 'The shards, with their states';
  return read({ operationId: 'listShards', summary }, 'ShardList');
}

export function DescribeShard(): MethodDecorator {
  return applyDecorators(
    shardParameter('The name, as in shard-1.'),
    read({ operationId: 'getShard', summary: 'One shard' }, 'PlacedShard', 'SHARD_NOT_FOUND'),
  );
}

export function DescribeChangeShard(): MethodDecorator {
  const described = {
    operationId: 'changeShard',
    summary: 'Drain a shard, or take that back',
    description:
      'NAME:drain moves all of its partitions to others, with its help; then it is `drained`. NAME:undrain makes it ' +
      'take part again.',
  };
  return applyDecorators(
    shardParameter('NAME:drain or NAME:undrain, as in shard-3:drain.', '^[^/:]+:(drain|undrain)$'),
    command(described, 'SHARD_NOT_FOUND', 'ALREADY_SO', 'REPLICATION_AT_RISK'),
  );
}

export function DescribePatchShard(): MethodDecorator {
  const described = {
    operationId: 'patchShard',
    summary: 'Change the weight of a shard',
    description: 'How much it holds, in relation to the others.',
    requestBody: patchBody('ShardPatch'),
  };
  return applyDecorators(
    shardParameter('The name, as in shard-1.'),
    command(described, 'SHARD_NOT_FOUND', 'ALREADY_SO'),
  );
}

export function DescribeRemoveShard(): MethodDecorator {
  const described = {
    operationId: 'removeShard',
    summary: 'Remove a shard that is drained',
    description:
      'Its process ends with SHARD_REMOVED, and its database is no shard of this cluster any more.',
  };
  return applyDecorators(
    shardParameter('The name, as in shard-4.'),
    command(described, 'SHARD_NOT_FOUND', 'SHARD_HOLDS_DATA', 'REPLICATION_AT_RISK'),
  );
}

export function DescribePlan(): MethodDecorator {
  const summary = 'What is to be moved, and what each move waits for';
  return read({ operationId: 'getPlan', summary }, 'Plan');
}

export function DescribePatchPlan(): MethodDecorator {
  const described = {
    operationId: 'patchPlan',
    summary: 'Change the limits of moves',
    requestBody: patchBody('PlanPatch'),
  };
  return command(described, 'ALREADY_SO');
}

export function DescribeDryRun(): MethodDecorator {
  return applyDecorators(
    ApiTags(TAG),
    ApiOperation({
      operationId: 'dryRun',
      summary: 'The plan as it would be after some commands',
      description: 'Nothing is changed.',
      requestBody: { required: false, content: jsonContent('DryRunRequest') },
    }),
    TimeoutHeader(),
    ApiResponse({
      status: 200,
      description: 'As it would be.',
      headers: ETAG,
      content: jsonContent('DryRun'),
    }),
    ChangeProblems(
      ...(['SHARD_NOT_FOUND', 'SHARD_HOLDS_DATA', 'REPLICATION_AT_RISK'] as const),
      ...(['ALREADY_SO', 'NOTHING_TO_CANCEL', 'UNAVAILABLE', 'DEADLINE_EXCEEDED'] as const),
    ),
  );
}

export function DescribeMoves(): MethodDecorator {
  const summary = 'Moves under way and planned, with their progress';
  return read({ operationId: 'listMoves', summary }, 'MoveList');
}

export function DescribeMovesChange(
  operationId: string,
  summary: string,
  description: string,
  body?: string,
): MethodDecorator {
  const described = { operationId, summary, description };
  if (body === undefined) return command(described, 'ALREADY_SO');
  const requestBody = { required: false, content: jsonContent(body) };
  return command({ ...described, requestBody }, 'NOTHING_TO_CANCEL');
}

export function DescribeRecover(): MethodDecorator {
  const described = {
    operationId: 'recoverPartitions',
    summary: 'Let partitions go on that lost a majority of their replicas for good',
    description:
      'Each goes on with what is left of it, and what only the lost shards had is lost. Nothing else gives up data: ' +
      'it is for shards that never come back. `dryRun` tells what would be done.',
    requestBody: { required: true, content: jsonContent('RecoverRequest') },
  };
  return commandWith(
    'Recovery',
    described,
    ...(['SHARD_NOT_FOUND', 'SHARD_NOT_DOWN', 'REPLICATION_AT_RISK', 'NOTHING_TO_RECOVER'] as const),
  );
}

/** What this gateway knows at present; it waits for nobody. */
function known(described: Described, schema: string, ...problems: RestErrorCode[]): MethodDecorator {
  return applyDecorators(
    ApiTags(TAG),
    ApiOperation(described),
    ApiResponse({ status: 200, description: 'At present.', content: jsonContent(schema) }),
    Problems(...problems),
  );
}

export function DescribeWhere(): MethodDecorator {
  const summary = 'Where a key is';
  return applyDecorators(
    ApiQuery({
      name: 'key',
      required: true,
      description: 'The key.',
      schema: { type: 'string', minLength: 1 },
    }),
    known({ operationId: 'where', summary }, 'KeyPlace', 'KEY_TOO_LONG', 'UNAVAILABLE'),
  );
}

export function DescribePartitions(): MethodDecorator {
  const summary = 'Where every partition is, and who leads it';
  return known({ operationId: 'listPartitions', summary }, 'PartitionList');
}

export function DescribeIncidents(): MethodDecorator {
  const summary = 'What should never happen, and did';
  return known({ operationId: 'listIncidents', summary }, 'IncidentList');
}

export function DescribeLoad(): MethodDecorator {
  const summary = 'What this gateway had to do in the last ten minutes';
  return known({ operationId: 'getLoad', summary }, 'LoadHistory');
}

export function DescribeEvents(): MethodDecorator {
  return applyDecorators(
    ApiTags(TAG),
    ApiOperation({
      operationId: 'watchCluster',
      summary: 'The cluster as it changes, as server-sent events',
      description:
        'Events `cluster` (ClusterEvent), `moves` (MovesEvent) and `load` (LoadEvent) are the whole present state, each ' +
        'at first and then whenever it has changed, at most once a second; `heartbeat` where nothing has for ten ' +
        'seconds. The stream ends with `RECONNECT` when the gateway stops.',
    }),
    ApiHeader({
      name: 'Last-Event-ID',
      required: false,
      description:
        'The id of the last event that was got: of what has not changed since then nothing is sent.',
      schema: { type: 'string' },
    }),
    ApiResponse({
      status: 200,
      description: 'The stream.',
      content: { 'text/event-stream': { schema: { type: 'string' } } },
    }),
    Problems('UNAVAILABLE'),
  );
}

export function DescribeVerify(): MethodDecorator {
  return applyDecorators(
    ApiTags(TAG),
    ApiOperation({
      operationId: 'verify',
      summary: 'Hold the replicas of all partitions against each other',
      description: 'In the background. One that is under way is joined.',
    }),
    TimeoutHeader(),
    ApiResponse({ status: 200, description: 'It is under way.', content: jsonContent('Verification') }),
    ChangeProblems('UNAVAILABLE', 'OUTCOME_UNKNOWN', 'DISK_FULL'),
  );
}

export function DescribeVerification(): MethodDecorator {
  return applyDecorators(
    ApiTags(TAG),
    ApiOperation({ operationId: 'getVerification', summary: 'How far the last verification has come' }),
    TimeoutHeader(),
    ApiResponse({ status: 200, description: 'At present.', content: jsonContent('VerificationState') }),
    Problems('UNAVAILABLE', 'DEADLINE_EXCEEDED'),
  );
}
