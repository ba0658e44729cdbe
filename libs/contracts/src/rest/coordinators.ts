/** /v1/cluster/coordinator/...: what clients send, and get back besides the list of members. */
import { z } from 'zod';
import { COORDINATOR_NAME } from '../control/coordinator-members.js';

/** For the document: what is none is refused by a text of its own. */
const coordinator = { pattern: COORDINATOR_NAME.source };

export const memberRequestSchema = z
  .strictObject({
    name: z.string().meta({ ...coordinator, description: 'As in coordinator-4.' }),
    learner: z.boolean().optional().describe('True: it stays a learner until it is promoted.'),
  })
  .meta({ id: 'MemberRequest' });

export const memberChangedSchema = z
  .object({ index: z.int().describe('Of the configuration.') })
  .meta({ id: 'MemberChanged' });
export type MemberChanged = z.infer<typeof memberChangedSchema>;

export const transferRequestSchema = z
  .strictObject({
    to: z
      .string()
      .meta({ ...coordinator, description: 'A voter; absent: the most advanced one.' })
      .optional(),
  })
  .meta({ id: 'TransferRequest' });

export const compactRequestSchema = z
  .strictObject({ revision: z.int().min(0).describe('The oldest that is to stay readable.') })
  .meta({ id: 'CompactRequest' });

export const leaderTransferredSchema = z.object({ leader: z.string() }).meta({ id: 'LeaderTransferred' });
export type LeaderTransferred = z.infer<typeof leaderTransferredSchema>;
