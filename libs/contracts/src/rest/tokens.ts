/** /v1/tokens: what clients send, and get back. */
import { z } from 'zod';
import { SERVICE_ACCOUNT_PATTERN, grantSchema, tokenSchema } from '../metadata/access-metadata.js';

const GRANTS_MAX = 64;
const NAME_LENGTH_MAX = 63;
const DESCRIPTION_LENGTH_MAX = 512;
const REQUESTS_PER_SECOND_MAX = 1_000_000;
const isPlain = (text: string): boolean => text.isWellFormed() && !/\p{Cc}/u.test(text);
const NOT_PLAIN = 'must have no control characters';

export const tokenRequestSchema = z
  .strictObject({
    name: z
      .string()
      .min(1)
      .max(NAME_LENGTH_MAX)
      .refine(isPlain, NOT_PLAIN)
      .describe('For people, and for the audit log.'),
    description: z.string().max(DESCRIPTION_LENGTH_MAX).refine(isPlain, NOT_PLAIN).optional(),
    grants: z.array(grantSchema).min(1).max(GRANTS_MAX),
    expiresAt: z.iso
      .datetime()
      .nullable()
      .optional()
      .describe('Absent or null: as the token by which it is made, or never.'),
    requestsPerSecond: z
      .int()
      .min(1)
      .max(REQUESTS_PER_SECOND_MAX)
      .optional()
      .describe('At each gateway; more are refused with RATE_LIMITED. Absent: no limit of its own.'),
    serviceAccount: z
      .string()
      .regex(SERVICE_ACCOUNT_PATTERN, 'must be NAMESPACE/NAME')
      .optional()
      .describe('Takes the tokens of this ServiceAccount of Kubernetes in place of a secret of its own.'),
  })
  .meta({ id: 'TokenRequest' });
export type TokenRequest = z.infer<typeof tokenRequestSchema>;

export const tokenCreatedSchema = tokenSchema
  .extend({
    token: z
      .string()
      .optional()
      .describe('The secret: told here and never again. Absent of a ServiceAccount.'),
  })
  .meta({ id: 'TokenCreated' });
export type TokenCreated = z.infer<typeof tokenCreatedSchema>;

export const tokenListSchema = z.object({ items: z.array(tokenSchema) }).meta({ id: 'TokenList' });
export type TokenList = z.infer<typeof tokenListSchema>;
