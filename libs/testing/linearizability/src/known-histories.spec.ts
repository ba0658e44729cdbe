/** Histories recorded from real systems, with the verdicts of porcupine's and knossos' own test suites. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import {
  casRegister,
  checkHistory,
  kvAppend,
  type CasRegisterInput,
  type CasRegisterOutput,
  type CheckResult,
  type HistoryEvent,
  type KvAppendInput,
  type KvAppendOutput,
} from './index.js';

const DIRECTORY = new URL('../../fixtures/known-answers/histories/', import.meta.url);

type RegisterLine = { process: number; type: 'invoke' | 'ok' | 'fail' | 'info' } & (
  { f: 'read' | 'write'; value: number | null } | { f: 'cas'; value: [number, number] }
);
interface KvLine {
  process: number;
  type: 'invoke' | 'ok';
  f: 'get' | 'put' | 'append';
  key: string;
  value: string;
}

function readLines<T>(name: string): T[] {
  const text = readFileSync(new URL(`${name}.jsonl`, DIRECTORY), 'utf8');
  return text
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as T);
}

function registerInput(line: RegisterLine): CasRegisterInput<number | null> {
  if (line.f === 'read') return { op: 'read' };
  if (line.f === 'cas') return { op: 'cas', expected: line.value[0], value: line.value[1] };
  return { op: 'write', value: line.value };
}

function registerEvent(
  line: RegisterLine,
  failedCasDiffered: boolean,
): HistoryEvent<CasRegisterInput<number | null>, CasRegisterOutput<number | null>> {
  const { process } = line;
  if (line.type === 'invoke') return { type: 'invoke', process, input: registerInput(line) };
  if (line.type === 'info') return { type: 'info', process };
  if (line.type === 'fail') {
    const differed = line.f === 'cas' && failedCasDiffered;
    return differed ? { type: 'ok', process, output: { kind: 'differed' } } : { type: 'fail', process };
  }
  const output =
    line.f === 'read' ? { kind: 'value' as const, value: line.value } : { kind: 'done' as const };
  return { type: 'ok', process, output };
}

function kvEvent(line: KvLine): HistoryEvent<KvAppendInput, KvAppendOutput> {
  const { process, type, f: op, key, value } = line;
  if (type === 'ok') return { type, process, output: op === 'get' ? value : undefined };
  return { type, process, input: op === 'get' ? { op, key } : { op, key, value } };
}

const CHECKS: Record<string, (name: string) => CheckResult> = {
  'cas-register-nil': (name) =>
    checkHistory(
      casRegister<number | null>(null),
      readLines<RegisterLine>(name).map((line) => registerEvent(line, true)),
    ),
  'cas-register-nil-or-0': (name) =>
    checkHistory(
      casRegister<number | null>(null),
      readLines<RegisterLine>(name).map((line) => registerEvent(line, false)),
    ),
  'kv-append': (name) => checkHistory(kvAppend, readLines<KvLine>(name).map(kvEvent)),
};

const verdicts = readFileSync(new URL('verdicts.tsv', DIRECTORY), 'utf8')
  .trim()
  .split('\n')
  .slice(1)
  .map((line) => line.split('\t') as [name: string, model: string, verdict: string]);

describe('known histories', () => {
  it.each(verdicts)('%s as %s is %s', (name, model, verdict) => {
    const result = CHECKS[model]!(name);
    expect(result.verdict).toBe(verdict === 'valid' ? 'linearizable' : 'violation');
  });
});
