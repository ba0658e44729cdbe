/** /v1/cluster/coordinator/...: who is in the coordinators' group, and how that changes. */
import { Readable } from 'node:stream';
import { Controller, Delete, Get, HttpCode, Param, Post, Req, Res } from '@nestjs/common';
import {
  OperationalError,
  compactRequestSchema,
  coordinatorName,
  coordinatorSeat,
  memberRequestSchema,
  transferRequestSchema,
} from '@ringleader/contracts';
import type { CoordinatorMembers, StoreCompacted, StoreHashes } from '@ringleader/contracts';
import type { CoordinatorRequest } from '@ringleader/coordination';
import { Coordination } from '@ringleader/service-host';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { ADMINISTER, READ_CLUSTER, Access } from '../access/access.js';
import { ifMatchOf } from '../http/if-match.js';
import { jsonBody } from '../http/json-body.js';
import { integerParameter, invalidParameter, parseQuery, targetOf } from '../http/request-target.js';
import { refuseConditions, refuseOtherConditions } from '../kv/preconditions.js';
import { timeoutMsOf } from '../kv/request-context.js';
import {
  DescribeAddMember,
  DescribeChangeMember,
  DescribeCompact,
  DescribeHash,
  DescribeMembers,
  DescribeRemoveMember,
  DescribeSnapshot,
  DescribeTransferLeader,
} from '../openapi/coordinator-descriptions.js';
import { openSnapshotStream } from './coordinator-snapshot.js';
import { nameAndAction, optionsOf, refuseFields } from './operator-request.js';

@Controller('v1/cluster')
export class CoordinatorsController {
  constructor(private readonly coordination: Coordination) {}

  @Access(READ_CLUSTER)
  @DescribeMembers()
  @Get('coordinator/members')
  members(@Req() request: FastifyRequest): Promise<CoordinatorMembers> {
    refuseConditions(request.headers, 'page');
    return this.coordination.members(optionsOf(request));
  }

  @Access(ADMINISTER)
  @DescribeAddMember()
  @Post('coordinator/members')
  @HttpCode(200)
  add(@Req() request: FastifyRequest): Promise<{ index: number }> {
    const { name, learner } = jsonBody(request, memberRequestSchema, 'The member');
    return this.#change(request, {
      kind: 'add',
      seat: seatOf(name, { field: 'name' }),
      isPromotedItself: learner !== true,
    });
  }

  /** `NAME:promote` and `NAME:replace`. */
  @Access(ADMINISTER)
  @DescribeChangeMember()
  @Post('coordinator/members/:member')
  @HttpCode(200)
  change(@Req() request: FastifyRequest, @Param('member') member: string): Promise<{ index: number }> {
    const [name, action] = nameAndAction(member);
    if (action === 'promote' || action === 'replace') {
      refuseFields(request, 'The change of the member');
      return this.#change(request, { kind: action, seat: seatOf(name, { parameter: 'member' }) });
    }
    const allowed = ['promote', 'replace'];
    throw invalidParameter('member', 'What is to be done with a member is :promote or :replace', { allowed });
  }

  @Access(ADMINISTER)
  @DescribeRemoveMember()
  @Delete('coordinator/members/:member')
  remove(@Req() request: FastifyRequest, @Param('member') member: string): Promise<{ index: number }> {
    refuseFields(request, 'The removal');
    return this.#change(request, { kind: 'remove', seat: seatOf(member, { parameter: 'member' }) });
  }

  /** The doubled colon is a plain one. */
  @Access(ADMINISTER)
  @DescribeTransferLeader()
  @Post('coordinator::transfer-leader')
  @HttpCode(200)
  async transferLeader(@Req() request: FastifyRequest): Promise<{ leader: string }> {
    const { to } = jsonBody(request, transferRequestSchema, 'The transfer');
    refuseConditions(request.headers, 'page');
    const options = optionsOf(request);
    const asked = to === undefined ? {} : { to: seatOf(to, { field: 'to' }) };
    const { leader } = await this.coordination.transferLeader(asked, options);
    return { leader: coordinatorName(leader) };
  }

  @Access(ADMINISTER)
  @DescribeCompact()
  @Post('coordinator::compact')
  @HttpCode(200)
  compact(@Req() request: FastifyRequest): Promise<StoreCompacted> {
    const asked = jsonBody(request, compactRequestSchema, 'The compaction');
    refuseConditions(request.headers, 'page');
    return this.coordination.ask('compact', asked, optionsOf(request));
  }

  @Access(READ_CLUSTER)
  @DescribeHash()
  @Get('coordinator/hash')
  hash(@Req() { raw, headers }: FastifyRequest): Promise<StoreHashes> {
    const query = parseQuery(targetOf(raw).query, ['revision']);
    refuseConditions(headers, 'page');
    const revision = integerParameter(query, 'revision', 1, Number.MAX_SAFE_INTEGER);
    const asked = revision === undefined ? {} : { revision };
    return this.coordination.ask('hashes', asked, { timeoutMs: timeoutMsOf(headers) });
  }

  @Access(ADMINISTER)
  @DescribeSnapshot()
  @Get('coordinator/snapshot')
  async snapshot(
    @Req() { raw, headers, method }: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<Readable> {
    const from = parseQuery(targetOf(raw).query, ['from']).get('from');
    refuseConditions(headers, 'page');
    const options = { timeoutMs: timeoutMsOf(headers) };
    const seat = from === undefined ? null : seatOf(from, { parameter: 'from' });
    const snapshot = await openSnapshotStream(this.coordination, seat, options);
    reply.header('Content-Type', 'application/octet-stream');
    reply.header('Content-Disposition', `attachment; filename="coordinators-${snapshot.revision}.snapshot"`);
    if (method !== 'HEAD') return Readable.from(snapshot.bytes, { objectMode: false });
    await snapshot.close();
    return Readable.from([]);
  }

  #change(request: FastifyRequest, change: CoordinatorRequest<'changeMembers'>): Promise<{ index: number }> {
    const options = optionsOf(request);
    refuseOtherConditions(request.headers);
    const ifIndex = ifMatchOf(request.headers, 'the index of the configuration');
    return this.coordination.changeMembers({ ...change, ...(ifIndex !== null && { ifIndex }) }, options);
  }
}

/** `where` the name stands in the request. */
function seatOf(name: string, where: { readonly parameter: string } | { readonly field: string }): number {
  const seat = coordinatorSeat(name);
  if (seat !== null) return seat;
  const detail = 'Coordinators are called coordinator-1 to coordinator-9';
  throw new OperationalError('INVALID_ARGUMENT', detail, where);
}
