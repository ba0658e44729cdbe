/** The same batches in JSON and in CBOR, each to a gateway of its own: they come to the same. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { CBOR_MEDIA_TYPE, writeBinaryBatch } from '@ringleader/contracts';
import type { BatchOperation } from '@ringleader/contracts';
import fc from 'fast-check';
import { BATCH_FORMS, postBatch, resultsOf } from './support/batches.js';
import type { BatchFormName } from './support/batches.js';
import { startGateway } from './support/gateway-harness.js';
import type { GatewayHarness } from './support/gateway-harness.js';
import { problemOf } from './support/http-client.js';

let gateways: ReadonlyMap<BatchFormName, GatewayHarness>;
beforeAll(async () => {
  const started = BATCH_FORMS.map(async (form) => [form, await startGateway()] as const);
  gateways = new Map(await Promise.all(started));
});
afterAll(() => Promise.all([...gateways.values()].map((gateway) => gateway.close())));
const gatewayOf = (form: BatchFormName): GatewayHarness => gateways.get(form) as GatewayHarness;

const LONG = 'k'.repeat(1_025);
const key = fc.constantFrom('a', 'b', 'c', 'ключ/🔑', '', LONG);
const few = fc.integer({ min: 1, max: 4 });
const yes = fc.constant(true as const);
const wellFormed = fc.string({ unit: 'grapheme' });
const bytes = fc.uint8Array({ maxLength: 50 }).map((value) => Buffer.from(value).toString('base64'));
const conditions = { ifRevision: few, ifVersion: few, ifPresent: yes };
const optional = { requiredKeys: ['op', 'key'] as ['op', 'key'] };
const operation = fc.oneof(
  fc.record(
    { op: fc.constant('put'), key, value: wellFormed, contentType: wellFormed, ...conditions, ifAbsent: yes },
    optional,
  ),
  fc.record({ op: fc.constant('put'), key, valueBase64: bytes }),
  fc.record({ op: fc.constant('put'), key, value: wellFormed }),
  fc.record({ op: fc.constant('get'), key }),
  fc.record({ op: fc.constant('delete'), key, ...conditions }, optional),
) as fc.Arbitrary<BatchOperation>;

const comparable = async (
  form: BatchFormName,
  operations: readonly BatchOperation[],
  idempotencyKey: string | null,
) => {
  const headers: Record<string, string> =
    idempotencyKey === null ? {} : { 'Idempotency-Key': idempotencyKey };
  const answer = await postBatch(gatewayOf(form).url, operations, form, headers);
  const results = (await resultsOf(answer)).map(({ createdAt, modifiedAt, ...others }) => ({
    ...others,
    hasTimes: createdAt !== undefined && modifiedAt !== undefined,
  }));
  return { status: answer.status, type: answer.headers.get('content-type')?.split(';')[0] === form, results };
};

describe('a batch', () => {
  it('comes to the same in JSON and in CBOR', async () => {
    let run = 0;
    await fc.assert(
      fc.asyncProperty(
        fc.array(operation, { maxLength: 12 }),
        fc.boolean(),
        async (operations, isRepeated) => {
          const idempotencyKey = isRepeated ? `run-${++run}` : null;
          for (let time = 0; time < (isRepeated ? 2 : 1); time++) {
            const [inJson, inCbor] = await Promise.all(
              BATCH_FORMS.map((form) => comparable(form, operations, idempotencyKey)),
            );
            expect(inJson).toMatchObject({ status: 200, type: true });
            expect(inCbor).toEqual(inJson);
          }
        },
      ),
      { numRuns: 150 },
    );
  });

  it.each([
    ['application/json', '*/*', 'application/json'],
    ['application/json', 'application/cbor', 'application/cbor'],
    ['application/cbor', null, 'application/json'],
    ['application/cbor', 'application/json;q=0.5, application/cbor', 'application/cbor'],
    ['Application/CBOR', 'application/*;q=0.1, application/json', 'application/json'],
    ['application/cbor', 'text/html', 'application/json'],
  ])('of %s for who accepts %s is answered in %s', async (given, accept, wanted) => {
    const form = given.toLowerCase() as BatchFormName;
    const answer = await fetch(`${gatewayOf('application/json').url}/v1/kv:batch`, {
      method: 'POST',
      headers: { 'Content-Type': given, ...(accept !== null && { Accept: accept }) },
      body: form === 'application/json' ? '{"operations":[]}' : new Uint8Array(writeBinaryBatch([])),
    });
    expect([answer.status, answer.headers.get('content-type')?.split(';')[0]]).toEqual([200, wanted]);
    expect(await resultsOf(answer)).toEqual([]);
  });

  it.each(BATCH_FORMS)('of a put without a value says so in the words of %s', async (form) => {
    const answer = await fetch(`${gatewayOf(form).url}/v1/kv:batch`, {
      method: 'POST',
      headers: { 'Content-Type': form },
      body:
        form === 'application/json'
          ? '{"operations":[{"op":"put","key":"k"}]}'
          : new Uint8Array(writeBinaryBatch([{ op: 'put', key: 'k' }])),
    });
    expect(await resultsOf(answer)).toMatchObject([{ status: 400, detail: 'A put has a value' }]);
  });

  it('in CBOR is refused as a whole by a problem document', async () => {
    const post = (body: Uint8Array<ArrayBuffer>): Promise<Response> =>
      fetch(`${gatewayOf('application/json').url}/v1/kv:batch`, {
        method: 'POST',
        headers: { 'Content-Type': CBOR_MEDIA_TYPE, Accept: CBOR_MEDIA_TYPE },
        body,
      });
    const cut = new Uint8Array(writeBinaryBatch([{ op: 'get', key: 'k' }]).subarray(0, -1));
    expect(await problemOf(await post(cut))).toMatchObject({
      status: 400,
      code: 'INVALID_ARGUMENT',
      field: 'operations.0.key',
      detail: 'The batch is not valid: operations.0.key: it ends too early',
    });
    const many = Array.from({ length: 1_001 }, (): BatchOperation => ({ op: 'get', key: 'k' }));
    expect(
      await problemOf(await post(new Uint8Array(writeBinaryBatch(many as [])))).then(({ code }) => code),
    ).toBe('REQUEST_TOO_LARGE');
    expect(await problemOf(await post(new Uint8Array(8_388_609)))).toMatchObject({
      code: 'REQUEST_TOO_LARGE',
      bytesMax: 8_388_608,
    });
  });
});
