import type { Control } from './control.js';
import { KEYED } from '../profiles/keyed.js';
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
    profile: LATE_REQUESTS,
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
    name: 'KeepsUnsent',
    broken: 'what a deposed leader decided and never applied stays in its memory',
    rules: { keepsUnsent: () => true },
    profile: LATE_REQUESTS,
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
    profile: KEYED,
    caughtBy: 'applied once',
  },
];
