import type { BinaryResult } from '@ringleader/contracts';
import { CliFailure, closed, EXIT } from '../failure.js';
import { type Answer, type GatewayClient, refusal as refusalOf } from '../gateway-client.js';
import type { PutOperation, Refusal } from './import-line.js';
import { isWorthRepeating, Patience } from '../retrying.js';

export interface NumberedOperation {
  readonly line: number;
  readonly operation: PutOperation;
}

export interface BatchOutcome {
  readonly created: number;
  readonly replaced: number;
  readonly refusals: readonly Refusal[];
}

export interface SenderOptions {
  readonly client: Pick<GatewayClient, 'binaryBatch'>;
  readonly signal: AbortSignal;
  readonly giveUpMs: number;
}

/** Then none would be taken: without a valid token, or by a gateway of a version before this form. */
const OF_NO_LINE = new Set([401, 415]);
const NOTHING: BatchOutcome = { created: 0, replaced: 0, refusals: [] };

function sum(a: BatchOutcome, b: BatchOutcome): BatchOutcome {
  return {
    created: a.created + b.created,
    replaced: a.replaced + b.replaced,
    refusals: [...a.refusals, ...b.refusals],
  };
}

function refusal(
  { line, operation }: NumberedOperation,
  { status, code, detail }: BinaryResult | Answer<unknown>,
): Refusal {
  return { line, code: code ?? `HTTP_${status}`, detail: detail ?? '', key: operation.key };
}

/**
 * Sends a batch until every line of it is stored or refused for good. What a result or the whole answer calls
 * repeatable is sent again, under the same idempotency key: a write that was done is not done twice. A batch that
 * is refused as a whole is cut in halves until the line that is to blame stands alone.
 */
export async function sendBatch(
  batch: readonly NumberedOperation[],
  idempotencyKey: string,
  options: SenderOptions,
): Promise<BatchOutcome> {
  const patience = new Patience(options.giveUpMs, options.signal);
  let pending = batch;
  let outcome = NOTHING;
  while (pending.length > 0) {
    const answer = await options.client.binaryBatch(
      pending.map(({ operation }) => operation),
      idempotencyKey,
    );
    const { results } = answer.body ?? {};
    let reason = answer.detail ?? '';
    if (results !== undefined) {
      const judged = judge(pending, results);
      outcome = sum(outcome, judged.outcome);
      if (judged.again.length < pending.length) patience.succeeded();
      pending = judged.again;
      if (pending.length === 0) break;
      reason = judged.reason;
    } else if (OF_NO_LINE.has(answer.status)) {
      throw refusalOf(answer);
    } else if (!isWorthRepeating(answer.status, answer.code)) {
      return sum(outcome, await refuseOrSplit(pending, idempotencyKey, answer, options));
    }
    if (!(await patience.wait(answer.retryAfterMs))) {
      const sentence = closed(`The gateway does not take the data: ${reason || `status ${answer.status}`}`);
      throw new CliFailure(sentence, { exitCode: EXIT.nothingDone });
    }
  }
  return outcome;
}

function judge(
  pending: readonly NumberedOperation[],
  results: readonly BinaryResult[],
): { outcome: BatchOutcome; again: NumberedOperation[]; reason: string } {
  const again: NumberedOperation[] = [];
  const refusals: Refusal[] = [];
  let [created, replaced, reason] = [0, 0, ''];
  pending.forEach((operation, i) => {
    const result = results[i];
    if (result?.status === 201) created += 1;
    else if (result?.status === 200) replaced += 1;
    else if (result === undefined || isWorthRepeating(result.status, result.code)) {
      again.push(operation);
      reason = result?.detail ?? result?.code ?? 'an answer without all results';
    } else refusals.push(refusal(operation, result));
  });
  return { outcome: { created, replaced, refusals }, again, reason };
}

async function refuseOrSplit(
  pending: readonly NumberedOperation[],
  idempotencyKey: string,
  answer: Answer<unknown>,
  options: SenderOptions,
): Promise<BatchOutcome> {
  const [only, ...others] = pending;
  if (only !== undefined && others.length === 0) return { ...NOTHING, refusals: [refusal(only, answer)] };
  const middle = Math.ceil(pending.length / 2);
  return sum(
    await sendBatch(pending.slice(0, middle), idempotencyKey, options),
    await sendBatch(pending.slice(middle), idempotencyKey, options),
  );
}
