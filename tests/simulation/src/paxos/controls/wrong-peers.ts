import type { Control } from './control.js';
import { LEAPING_FLOORS } from '../profiles/leaping-floors.js';
import { WRONG_PEERS } from '../profiles/wrong-peers.js';

/** docs/PROTOCOL.md 4.12.2, 4.12.6: what is believed too soon or never, and what was believed wrongly comes to light. */
export const WRONG_PEER_CONTROLS: readonly Control[] = [
  {
    name: 'LeapBelievedAtOnce',
    broken: 'a floor of repeats that is hours ahead is believed the first time: no new key can be written',
    rules: { believesLeap: () => true },
    profile: LEAPING_FLOORS,
    caughtBy: 'liveness',
  },
  {
    name: 'LeapNeverBelieved',
    broken: 'a floor of repeats that is ahead is refused however often it is said: its receiver stays behind',
    rules: { believesLeap: () => false },
    profile: LEAPING_FLOORS,
    caughtBy: 'liveness',
  },
  {
    name: 'StatesNothing',
    broken: 'followers say nothing unasked: whoever protects one that does not lead does so for ever',
    rules: { statesUnasked: () => false },
    profile: WRONG_PEERS,
    caughtBy: 'liveness',
  },
  {
    name: 'DeafToDenial',
    broken: 'who was said to have acknowledged is never believed to have less',
    rules: { believesDenial: () => false },
    profile: WRONG_PEERS,
    caughtBy: 'liveness',
  },
  {
    name: 'KeepsIdleCopy',
    broken: 'a replica at its leader’s position goes on with a copy that nobody ends',
    rules: { dropsIdleCopy: () => false },
    profile: WRONG_PEERS,
    caughtBy: 'liveness',
  },
];
