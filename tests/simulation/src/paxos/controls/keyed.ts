import type { Control } from './control.js';
import { KEYED } from '../profiles/keyed.js';
import {
  ASKED_ELSEWHERE,
  FORGOTTEN_FAILURES,
  FORGOTTEN_WRITES,
  HIDDEN_WRITE,
  UNSENT_WRITE,
} from '../profiles/repeats.js';
import { PURGED_WRITES } from '../profiles/purged.js';
import { TOLD_MEMORIES } from '../profiles/told-memories.js';
import { LATE_REQUESTS } from '../profiles/late-requests.js';

/** docs/PROTOCOL.md 4.7.6: keyed writes, repeated by clients through other gateways. */
export const KEYED_CONTROLS: readonly Control[] = [
  {
    name: 'RepeatIsNew',
    broken: 'a keyed write that the row has forgotten counts as first attempted when it arrives',
    rules: { earliestAttempt: (_requestId, origin) => origin },
    profile: KEYED,
    caughtBy: 'applied once',
  },
  {
    name: 'NoKeyedMemory',
    broken: 'a replica forgets the keyed writes that it saw pass, and still vouches for them',
    rules: { recalled: () => undefined },
    profile: KEYED,
    caughtBy: 'applied once',
  },
  {
    name: 'MarkNeedsRow',
    broken: 'a remembered keyed write counts only where the key has a row, not after a purge',
    rules: { recallsWithoutRow: () => false },
    profile: PURGED_WRITES,
    caughtBy: 'applied once',
  },
  {
    name: 'MemoryOutlivesRepair',
    broken: 'the memory of keyed writes is kept through repair and copy',
    rules: { memoryOutlivesInstall: () => true },
    profile: LATE_REQUESTS,
    caughtBy: 'linearizability',
  },
  {
    name: 'MemoryFromStart',
    broken: 'the memory of a restarted replica counts as complete from the start',
    rules: { memoryFloorAtStart: () => 0 },
    profile: FORGOTTEN_WRITES,
    caughtBy: 'applied once',
  },
  {
    name: 'SeenIsComplete',
    broken: 'a key counts as known from its beginning once one of its rows has passed',
    rules: { floorOfSeenKey: () => 0 },
    profile: KEYED,
    caughtBy: 'applied once',
  },
  {
    name: 'MemoryOfOtherHistory',
    broken: 'what is told of a memory counts at whatever ballot the receiver is',
    rules: { isOfSameHistory: () => true },
    profile: TOLD_MEMORIES,
    caughtBy: 'linearizability',
  },
  {
    name: 'RemembersAhead',
    broken: 'of what is told, writes past the own position are remembered too',
    rules: { isInHistory: () => true },
    profile: TOLD_MEMORIES,
    caughtBy: 'linearizability',
  },
  {
    name: 'MemoryWithHole',
    broken: 'what is told counts though writes passed that neither has seen',
    rules: { memoriesMeet: () => true },
    profile: TOLD_MEMORIES,
    caughtBy: 'applied once',
  },
  {
    name: 'BeginsWhole',
    broken: 'a memory that begins counts as complete, though there are writes before it',
    rules: { memoryFloorFrom: () => 0 },
    profile: FORGOTTEN_WRITES,
    caughtBy: 'applied once',
  },
  {
    name: 'MemoryToldWhole',
    broken: 'a memory is told as complete from the beginning',
    rules: { floorToTell: () => 0 },
    profile: FORGOTTEN_WRITES,
    caughtBy: 'applied once',
  },
  {
    name: 'KeepsUnsent',
    broken: 'what a deposed leader decided and never applied stays in its memory',
    rules: { keepsUnsent: () => true },
    profile: UNSENT_WRITE,
    caughtBy: 'linearizability',
  },
  {
    name: 'WindowOfClients',
    broken: 'the window is that of clients, without the difference between clocks',
    rules: { keyedWindowMs: (repeatWindowMs) => repeatWindowMs },
    profile: KEYED,
    caughtBy: 'applied once',
  },
  {
    name: 'DropsQuietly',
    broken: 'what falls off the bounded memory does not raise its floor',
    rules: { floorAfterDrop: (floor) => floor },
    profile: FORGOTTEN_WRITES,
    caughtBy: 'applied once',
  },
  {
    name: 'BatchHidesKeyed',
    broken: 'a batch holds a row that has forgotten a keyed write of the same batch',
    rules: { mayHideKeyedWrite: () => true },
    profile: HIDDEN_WRITE,
    caughtBy: 'linearizability',
  },
  {
    name: 'FailFloorByOrigin',
    broken:
      "the floor of the failed conditions is compared with a keyed write's origin, not its earliest attempt",
    rules: { comparedWithFailFloor: (_earliestAttempt, origin) => origin },
    profile: FORGOTTEN_FAILURES,
    caughtBy: 'answers',
  },
  {
    name: 'ToldWithoutLease',
    broken: 'a remembered failure is answered again without lease or confirmed ballot',
    rules: { toldAwaitsLease: () => false },
    profile: ASKED_ELSEWHERE,
    caughtBy: 'answers',
  },
  {
    name: 'GatewayRepeatsFailure',
    broken: 'a gateway answers a repeat with the failure it remembers, though another one was asked since',
    rules: {},
    repeatsFailures: true,
    profile: ASKED_ELSEWHERE,
    caughtBy: 'answers',
  },
  {
    name: 'GatewayRetriesOn',
    broken: 'a gateway goes on trying after the client has turned to another one',
    rules: {},
    retriesOn: true,
    profile: ASKED_ELSEWHERE,
    caughtBy: 'answers',
  },
];
