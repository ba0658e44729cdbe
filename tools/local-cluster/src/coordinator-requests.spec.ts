import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { until } from '@ringleader/server-processes';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CoordinatorRequests } from './coordinator-requests.js';

const WAIT = { timeoutMs: 5_000 };
let folder: string;
let said: string[];
let joined: (number | null)[];
let isReady: boolean;
let requests: CoordinatorRequests;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'ringleader-requests-'));
  [said, joined, isReady] = [[], [], true];
  requests = new CoordinatorRequests({
    folder,
    say: (text) => void said.push(text),
    isReady: () => isReady,
    join: (seat) => {
      joined.push(seat);
      return seat === 9 ? Promise.reject(new Error('there is no room')) : Promise.resolve();
    },
  });
});
afterEach(() => {
  requests.close();
  rmSync(folder, { recursive: true });
});
const ask = (name: string): void => writeFileSync(join(folder, name), '');
const isAnswered = async (): Promise<boolean> => readdirSync(folder).length === 0;

it('is done once each, when the cluster has started, and its file is gone then', async () => {
  isReady = false;
  ask('replace-coordinator-2');
  ask('add-coordinator');
  isReady = true;
  await until('both are answered', isAnswered, WAIT);
  expect(joined).toEqual([null, 2]);
  expect(said).toEqual([]);
});

it('is said where it fails, and not tried again', async () => {
  ask('replace-coordinator-9');
  await until('it is answered', isAnswered, WAIT);
  expect(joined).toEqual([9]);
  expect(said).toEqual(['✗ no coordinator could be added: there is no room']);
});
