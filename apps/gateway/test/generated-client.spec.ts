/** A client generated from the OpenAPI document, as its users make one: it compiles, and it can put, get, list and batch. */
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import createClient from 'openapi-fetch';
import openapiTs, { astToString } from 'openapi-typescript';
import type { OpenAPI3 } from 'openapi-typescript';
import ts from 'typescript';
import { startGateway } from './support/gateway-harness.js';
import type { GatewayHarness } from './support/gateway-harness.js';

/** What a user writes. `createClient` is handed in, so that the same text runs as it was compiled. */
const PROGRAM = `
import type { Client } from 'openapi-fetch';
import type { paths } from './generated-paths.js';

export async function use(client: Client<paths>, key: string): Promise<unknown> {
  const path = { key };
  const put = await client.PUT('/v1/kv/{key}', {
    params: { path, header: { 'If-None-Match': '*' } },
    body: 'a value',
    headers: { 'Content-Type': 'text/plain' },
    bodySerializer: (body) => body,
  });
  const revision: number | undefined = put.data?.revision;
  const get = await client.GET('/v1/kv/{key}', { params: { path }, parseAs: 'text' });
  const value: string | undefined = get.data;
  const again = await client.PUT('/v1/kv/{key}', {
    params: { path, header: { 'If-None-Match': '*' } },
    body: 'another',
    bodySerializer: (body) => body,
  });
  const code: string | undefined = again.error?.code;
  const batch = await client.POST('/v1/kv:batch', {
    body: {
      operations: [
        { op: 'put', key: key + '/b', value: 'b', ifAbsent: true },
        { op: 'get', key },
        { op: 'delete', key, ifRevision: revision ?? 1 },
      ],
    },
  });
  const list = await client.GET('/v1/kv', { params: { query: { prefix: key, limit: 10 } } });
  const head = await client.HEAD('/v1/kv/{key}', { params: { path: { key: key + '/b' } } });
  return {
    value,
    code,
    statuses: batch.data?.results.map(({ status }) => status),
    keys: typeof list.data === 'string' ? [] : list.data?.items.map((item) => item.key),
    head: head.response.status,
  };
}
`;

const HERE = fileURLToPath(new URL('.', import.meta.url));
const OPTIONS: ts.CompilerOptions = {
  target: ts.ScriptTarget.ES2023,
  module: ts.ModuleKind.NodeNext,
  moduleResolution: ts.ModuleResolutionKind.NodeNext,
  strict: true,
  noUncheckedIndexedAccess: true,
  exactOptionalPropertyTypes: true,
  skipLibCheck: true,
  types: ['node'],
};

/** As if the files lay beside this one. Gives the diagnostics, and the program as JavaScript. */
function compile(files: Readonly<Record<string, string>>, main: string): { errors: string[]; code: string } {
  const host = ts.createCompilerHost(OPTIONS);
  const { fileExists, readFile } = host;
  host.fileExists = (name) => name in files || fileExists(name);
  host.readFile = (name) => files[name] ?? readFile(name);
  const source = host.getSourceFile.bind(host);
  host.getSourceFile = (name, ...options) => {
    const text = files[name];
    return text === undefined ? source(name, ...options) : ts.createSourceFile(name, text, ...[options[0]]);
  };
  let code = '';
  host.writeFile = (name, text) => {
    if (name === main.replace(/ts$/, 'js')) code = text;
  };
  const program = ts.createProgram([main], OPTIONS, host);
  const errors = ts
    .getPreEmitDiagnostics(program)
    .map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, '\n'));
  program.emit();
  return { errors, code };
}

let gateway: GatewayHarness;
beforeAll(async () => {
  gateway = await startGateway();
});
afterAll(() => gateway.close());

it('compiles, and does what it says', async () => {
  const document = (await (await fetch(`${gateway.url}/openapi.json`)).json()) as OpenAPI3;
  const paths = astToString(await openapiTs(document));
  const main = `${HERE}generated-program.ts`;
  const { errors, code } = compile({ [main]: PROGRAM, [`${HERE}generated-paths.d.ts`]: paths }, main);
  expect(errors).toEqual([]);
  const url = `data:text/javascript,${encodeURIComponent(code)}`;
  const { use } = (await import(url)) as { use: (client: unknown, key: string) => Promise<unknown> };
  expect(await use(createClient({ baseUrl: gateway.url }), 'generated')).toEqual({
    value: 'a value',
    code: 'PRECONDITION_FAILED',
    statuses: [201, 200, 204],
    keys: ['generated/b'],
    head: 200,
  });
}, 60_000);
