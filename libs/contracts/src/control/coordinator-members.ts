/** Who is in the coordinators' group, and how that changes. Served by the leader. */
import { z } from 'zod';
import { OPERATORS, messageContract } from '../message-contract.js';

const SEAT_MAX = 9;
const seat = z.int().min(1).max(SEAT_MAX);
export const COORDINATOR_NAME = /^coordinator-([1-9])$/;

export const coordinatorName = (of: number): string => `coordinator-${of}`;
/** Null for what no coordinator is called. */
export function coordinatorSeat(name: string): number | null {
  const [, digit] = COORDINATOR_NAME.exec(name) ?? [];
  return digit === undefined ? null : Number(digit);
}

const memberId = z.string().regex(/^\d{1,16}$/);
const seated = { name: z.string(), id: memberId.describe('Drawn when it joined, never used again.') };

export const coordinatorMemberSchema = z
  .object({
    ...seated,
    role: z.enum(['leader', 'voter', 'learner']),
    term: z.int().min(0),
    match: z.int().min(0).describe('Its log is the leader’s up to here, on its disk.'),
    lag: z.int().min(0).describe('Entries that it is behind the leader.'),
    reachable: z.boolean().describe('Whether the leader has heard it lately.'),
    corrupt: z
      .boolean()
      .optional()
      .describe('True: its store was found to differ from that of the majority.'),
    replaces: memberId.optional().describe('Of a learner: whose place it takes as soon as it has caught up.'),
  })
  .meta({ id: 'CoordinatorMember' });
export type CoordinatorMember = z.infer<typeof coordinatorMemberSchema>;

export const coordinatorMembersSchema = z
  .object({
    leader: z.string(),
    term: z.int().min(0),
    index: z.int().min(0).describe('Of the configuration in the log: what If-Match compares.'),
    revision: z.int().min(0).describe('Of the store.'),
    joint: z.boolean().describe('A change of the group is under way: joint, or not committed yet.'),
    members: z.array(coordinatorMemberSchema),
    applicants: z.array(z.object(seated)).describe('Those that wait to be let in.'),
  })
  .meta({ id: 'CoordinatorMembers' });
export type CoordinatorMembers = z.infer<typeof coordinatorMembersSchema>;

export const memberContracts = {
  members: messageContract({
    operation: 'members',
    askers: OPERATORS,
    request: z.object({}),
    response: coordinatorMembersSchema,
    errors: ['UNAVAILABLE', 'NOT_LEADER'],
    deadline: 'quick',
  }),
  /** By gateways, for operators. Answers when the change is done: of voters, when the configuration is not joint any more. */
  changeMembers: messageContract({
    operation: 'changeMembers',
    askers: OPERATORS,
    request: z.object({
      kind: z.enum(['add', 'promote', 'remove', 'replace']),
      seat,
      /** Of an addition: it becomes a voter by itself once it has caught up. */
      isPromotedItself: z.boolean().optional(),
      /** Only if this is the index of the newest configuration. */
      ifIndex: z.int().min(0).optional(),
    }),
    response: z.object({ index: z.int().min(0) }),
    errors: [
      'UNAVAILABLE',
      'NOT_LEADER',
      'OUTCOME_UNKNOWN',
      'PRECONDITION_FAILED',
      'CHANGE_UNDER_WAY',
      'ALREADY_SO',
      'QUORUM_AT_RISK',
      'MEMBER_LAGGING',
      'NO_APPLICANT',
      'MEMBER_NOT_FOUND',
      'MEMBER_REMOVED',
    ],
    deadline: 'commit',
  }),
  /** To the most advanced voter, or to that at `to`. Answers who leads then. */
  transferLeader: messageContract({
    operation: 'transferLeader',
    askers: OPERATORS,
    request: z.object({ to: seat.optional() }),
    response: z.object({ leader: seat }),
    errors: ['UNAVAILABLE', 'NOT_LEADER', 'OUTCOME_UNKNOWN', 'ALREADY_SO', 'MEMBER_NOT_FOUND'],
    deadline: 'commit',
  }),
};
