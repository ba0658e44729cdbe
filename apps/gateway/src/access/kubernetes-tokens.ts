/**
 * Tokens of Kubernetes' ServiceAccounts, as its API server judges them (TokenReview): this gateway asks with the token of its
 * own pod. Nobody makes it ask at will: what a token says of itself must fit first, and be granted something; what it was
 * told is remembered, for a minute at most.
 */
import { readFile } from 'node:fs/promises';
import { Agent, request } from 'node:https';
import type { RequestOptions } from 'node:https';
import { text } from 'node:stream/consumers';
import { OperationalError } from '@ringleader/contracts';
import type { Clock } from '@ringleader/primitives';
import { z } from 'zod';
import type { Reviewed, TokenReviewer } from './authenticator.js';

/** What a token must be made for: `kubectl create token NAME --audience ringleader`. */
export const AUDIENCE = 'ringleader';

export interface ApiServer {
  readonly host: string;
  readonly port: number;
  readonly caFile: string;
  /** Of this pod: read each time, since Kubernetes exchanges it. */
  readonly tokenFile: string;
}

export interface KubernetesTokensOptions {
  readonly apiServer: ApiServer;
  readonly clock: Clock;
  /** Whether anything is granted to it. */
  readonly isGranted: (serviceAccount: string) => boolean;
}

const PATH = '/apis/authentication.k8s.io/v1/tokenreviews';
const BELIEVED_MS = 60_000;
const REFUSED_MS = 10_000;
const REFUSED_MAX = 1_000;
const UNDER_WAY_MAX = 32;
const TIMEOUT_MS = 2_000;
const MS_PER_SECOND = 1_000;
const ACCOUNT = /^system:serviceaccount:([a-z0-9-]+):([a-z0-9.-]+)$/;

const claimsSchema = z.object({
  sub: z.string(),
  aud: z.union([z.string(), z.array(z.string())]),
  exp: z.number(),
});
const reviewSchema = z.object({
  status: z.object({
    authenticated: z.boolean().optional(),
    user: z.object({ username: z.string().optional() }).optional(),
    audiences: z.array(z.string()).optional(),
  }),
});

export class KubernetesTokens implements TokenReviewer {
  private readonly underWay = new Map<string, Promise<Reviewed | null>>();
  private readonly refusedUntil = new Map<string, number>();
  private readonly agent = new Agent({ keepAlive: true });

  constructor(private readonly options: KubernetesTokensOptions) {}

  mayKnow(token: string): boolean {
    const claims = claimsOf(token);
    if (claims === null || !audiencesOf(claims).includes(AUDIENCE)) return false;
    const now = this.options.clock.wallMs();
    const account = accountOf(claims.sub);
    if (claims.exp * MS_PER_SECOND <= now || account === null) return false;
    return !((this.refusedUntil.get(token) ?? 0) > now) && this.options.isGranted(account);
  }

  review(token: string): Promise<Reviewed | null> {
    const asked = this.underWay.get(token);
    if (asked !== undefined) return asked;
    if (this.underWay.size >= UNDER_WAY_MAX) throw unanswered('too much is asked already');
    const asking = this.ask(token).finally(() => this.underWay.delete(token));
    this.underWay.set(token, asking);
    return asking;
  }

  close(): void {
    this.agent.destroy();
  }

  private async ask(token: string): Promise<Reviewed | null> {
    const judged = await this.judgement(token);
    const now = this.options.clock.wallMs();
    const account = accountOf(judged.status.user?.username ?? '');
    const isOurs = judged.status.audiences?.includes(AUDIENCE) === true;
    if (judged.status.authenticated === true && isOurs && account !== null) {
      const endsAt = (claimsOf(token)?.exp ?? 0) * MS_PER_SECOND;
      return { serviceAccount: account, untilMs: Math.min(now + BELIEVED_MS, endsAt) };
    }
    if (this.refusedUntil.size >= REFUSED_MAX) this.refusedUntil.clear();
    this.refusedUntil.set(token, now + REFUSED_MS);
    return null;
  }

  private async judgement(token: string): Promise<z.infer<typeof reviewSchema>> {
    try {
      const { host, port, caFile, tokenFile } = this.options.apiServer;
      const [ca, own] = await Promise.all([readFile(caFile), readFile(tokenFile, 'utf8')]);
      const review = {
        apiVersion: 'authentication.k8s.io/v1',
        kind: 'TokenReview',
        spec: { token, audiences: [AUDIENCE] },
      };
      const headers = { Authorization: `Bearer ${own.trim()}`, 'Content-Type': 'application/json' };
      const { agent } = this;
      const options = { host, port, path: PATH, ca, agent, headers, method: 'POST' };
      return reviewSchema.parse(JSON.parse(await post(options, JSON.stringify(review))));
    } catch (cause) {
      throw unanswered(cause instanceof Error ? cause.message : 'no answer', cause);
    }
  }
}

/** The body of an answer; throws for any that is not as it should be. */
function post(options: RequestOptions, body: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const asked = request({ ...options, signal: AbortSignal.timeout(TIMEOUT_MS) }, (answer) => {
      text(answer).then((answered) => {
        const { statusCode = 0 } = answer;
        if (statusCode === 200 || statusCode === 201) resolve(answered);
        else reject(new Error(`status ${statusCode}`));
      }, reject);
    });
    asked.on('error', reject);
    asked.end(body);
  });
}

function unanswered(reason: string, cause?: unknown): OperationalError {
  const detail = `The API server of Kubernetes does not say whose token this is: ${reason}`;
  return new OperationalError('UNAVAILABLE', detail, {}, { cause });
}

/** What a token says of itself, true or not; null where it is none. */
function claimsOf(token: string): z.infer<typeof claimsSchema> | null {
  const [, payload, signature, ...more] = token.split('.');
  if (payload === undefined || signature === undefined || more.length > 0) return null;
  try {
    return claimsSchema.safeParse(JSON.parse(Buffer.from(payload, 'base64url').toString())).data ?? null;
  } catch (error) {
    if (error instanceof SyntaxError) return null;
    throw error;
  }
}

const audiencesOf = ({ aud }: z.infer<typeof claimsSchema>): readonly string[] =>
  typeof aud === 'string' ? [aud] : aud;

function accountOf(username: string): string | null {
  const [, namespace, name] = ACCOUNT.exec(username) ?? [];
  return namespace === undefined || name === undefined ? null : `${namespace}/${name}`;
}
