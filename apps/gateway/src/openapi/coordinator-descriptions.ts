/** The resources about the coordinators' group in the OpenAPI document. */
import { applyDecorators } from '@nestjs/common';
import { COORDINATOR_NAME } from '@ringleader/contracts';
import { ApiHeader, ApiOperation, ApiParam, ApiQuery, ApiResponse, ApiTags } from '@nestjs/swagger';
import { ChangeProblems, Problems, TimeoutHeader, jsonContent } from './descriptions.js';

const TAG = 'Coordinators';
const CHANGED = {
  status: 200,
  description: 'It is done; the index of the configuration.',
  content: jsonContent('MemberChanged'),
};

const condition = ApiHeader({
  name: 'If-Match',
  required: false,
  description: '"17": only if this is still the index of the configuration.',
  schema: { type: 'string', pattern: '^"[0-9]{1,15}"$' },
});
const NAME = COORDINATOR_NAME.source;
const memberParameter = (description: string, pattern = NAME): MethodDecorator =>
  ApiParam({ name: 'member', description, schema: { type: 'string', pattern } });

export function DescribeMembers(): MethodDecorator {
  return applyDecorators(
    ApiTags(TAG),
    ApiOperation({
      operationId: 'getCoordinatorMembers',
      summary: 'Who is in the group of coordinators',
      description: 'As the leader knows it, with how far each member has come, and who waits to be let in.',
    }),
    TimeoutHeader(),
    ApiResponse({ status: 200, description: 'The group.', content: jsonContent('CoordinatorMembers') }),
    Problems('UNAVAILABLE', 'DEADLINE_EXCEEDED'),
  );
}

export function DescribeAddMember(): MethodDecorator {
  return applyDecorators(
    ApiTags(TAG),
    ApiOperation({
      operationId: 'addCoordinator',
      summary: 'Let a coordinator in that waits for it',
      description:
        'As a learner, which becomes a voter by itself once it has caught up, unless `learner` is true.',
      requestBody: { required: true, content: jsonContent('MemberRequest') },
    }),
    condition,
    TimeoutHeader(),
    ApiResponse(CHANGED),
    changeProblems(),
  );
}

export function DescribeChangeMember(): MethodDecorator {
  return applyDecorators(
    ApiTags(TAG),
    ApiOperation({
      operationId: 'changeCoordinator',
      summary: 'Promote a learner, or replace a member',
      description:
        'NAME:promote makes a learner a voter. NAME:replace gives the place of the member of that name to the one ' +
        'that waits under it, in one change, once that has caught up.',
    }),
    memberParameter(
      'NAME:promote or NAME:replace, as in coordinator-2:replace.',
      NAME.replace('$', ':(promote|replace)$'),
    ),
    condition,
    TimeoutHeader(),
    ApiResponse(CHANGED),
    changeProblems(),
  );
}

export function DescribeRemoveMember(): MethodDecorator {
  return applyDecorators(
    ApiTags(TAG),
    ApiOperation({
      operationId: 'removeCoordinator',
      summary: 'Remove a member',
      description: 'While a member is being replaced: its successor. The process that is removed ends.',
    }),
    memberParameter('The name, as in coordinator-4.'),
    condition,
    TimeoutHeader(),
    ApiResponse(CHANGED),
    changeProblems(),
  );
}

export function DescribeTransferLeader(): MethodDecorator {
  return applyDecorators(
    ApiTags(TAG),
    ApiOperation({
      operationId: 'transferLeader',
      summary: 'Hand the leadership of the coordinators over',
      description: 'To a voter, or to the most advanced one.',
      requestBody: { required: false, content: jsonContent('TransferRequest') },
    }),
    TimeoutHeader(),
    ApiResponse({ status: 200, description: 'Who leads now.', content: jsonContent('LeaderTransferred') }),
    ChangeProblems('ALREADY_SO', 'MEMBER_NOT_FOUND', 'UNAVAILABLE', 'OUTCOME_UNKNOWN'),
  );
}

export function DescribeCompact(): MethodDecorator {
  return applyDecorators(
    ApiTags(TAG),
    ApiOperation({
      operationId: 'compactCoordinators',
      summary: 'Forget the history of the coordinators’ store',
      description: 'What was before the revision, which itself stays readable, at all members.',
      requestBody: { required: true, content: jsonContent('CompactRequest') },
    }),
    TimeoutHeader(),
    ApiResponse({ status: 200, description: 'It is done.', content: jsonContent('CoordinatorCompacted') }),
    ChangeProblems('COMPACTED', 'FUTURE_REVISION', 'UNAVAILABLE', 'OUTCOME_UNKNOWN'),
  );
}

export function DescribeHash(): MethodDecorator {
  return applyDecorators(
    ApiTags(TAG),
    ApiOperation({
      operationId: 'getCoordinatorHashes',
      summary: 'Hold the stores of all coordinators against each other',
      description: 'The hash of every member at one revision.',
    }),
    ApiQuery({
      name: 'revision',
      required: false,
      description: 'Absent: the newest one that the leader has applied.',
      schema: { type: 'integer', minimum: 1 },
    }),
    TimeoutHeader(),
    ApiResponse({ status: 200, description: 'The hashes.', content: jsonContent('CoordinatorHashes') }),
    Problems('COMPACTED', 'FUTURE_REVISION', 'UNAVAILABLE', 'DEADLINE_EXCEEDED'),
  );
}

export function DescribeSnapshot(): MethodDecorator {
  return applyDecorators(
    ApiTags(TAG),
    ApiOperation({
      operationId: 'getCoordinatorSnapshot',
      summary: 'Save the whole store of the coordinators',
      description:
        'All that is committed, as of one revision, in the form that `ringleader coordinator snapshot restore` reads. ' +
        'Only who has checked the checksum at its end knows that it is whole.',
    }),
    ApiQuery({
      name: 'from',
      required: false,
      description: 'The member that it is taken from, as in coordinator-2; absent: the leader.',
      schema: { type: 'string', pattern: NAME },
    }),
    TimeoutHeader(),
    ApiResponse({
      status: 200,
      description: 'The snapshot.',
      content: { 'application/octet-stream': { schema: { type: 'string', format: 'binary' } } },
    }),
    Problems('MEMBER_NOT_FOUND', 'OVERLOADED', 'UNAVAILABLE', 'DEADLINE_EXCEEDED'),
  );
}

function changeProblems(): MethodDecorator {
  return ChangeProblems(
    'PRECONDITION_FAILED',
    'CHANGE_UNDER_WAY',
    'ALREADY_SO',
    'QUORUM_AT_RISK',
    'MEMBER_LAGGING',
    'NO_APPLICANT',
    'MEMBER_NOT_FOUND',
    'MEMBER_REMOVED',
    'UNAVAILABLE',
    'OUTCOME_UNKNOWN',
  );
}
