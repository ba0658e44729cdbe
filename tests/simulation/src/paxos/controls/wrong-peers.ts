import type { Control } from './control.js';
import { WRONG_PEERS } from '../profiles/wrong-peers.js';

/** docs/PROTOCOL.md 4.12.6: what was believed wrongly comes to light. */
export const WRONG_PEER_CONTROLS: readonly Control[] = [
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
