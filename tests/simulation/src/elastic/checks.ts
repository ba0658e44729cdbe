/**
 * Checks of a cluster that changes its shape, by the names that they fail with; beside those of the Paxos core, which all
 * stand here too. Names are stable: each negative control names the one that must find it.
 */
import { SimulationFailure } from '@ringleader/testing-simulation';
import { CHECKS } from '../paxos/checks.js';

export const SHAPE_CHECKS = {
  'plans end': 'long after the last fault something is still to be moved, or is blocked',
  conservation:
    'a key is on other than so many replicas as are wanted, or on a shard that it does not belong to',
  zones: 'replicas are in fewer zones than they could be',
  load: 'a shard holds too much or too little',

  'one member at a time': 'more than one member of a group is exchanged at once',
  'two sets': 'a set of replicas is in force that the entry before did not lead to',
  'entry epochs': 'an entry of the map does not follow the one before by one epoch',
  'move records': 'a partition on the move has no record, or the record another exchange, or none moves',
  'moves at once': 'more moves are under way than may be',
  paused: 'a move begins or goes on while placement is paused',
  'onto a suspect': 'a move begins or goes on to a shard that is known to be suspect or down',
  'learnt first': 'two sets while the newcomer was not at its leader’s ballot',
  'settled on proof': 'settled without a barrier of exactly the joint epoch committed by both sets',
  'majority kept': 'a step took a majority that was there before it',
  'removed empty': 'a shard is removed while the map still names it',
} as const;

export type ShapeCheckId = keyof typeof SHAPE_CHECKS;

export const ELASTIC_CHECKS = { ...CHECKS, ...SHAPE_CHECKS } as const;
export type ElasticCheckId = keyof typeof ELASTIC_CHECKS;

export function failShape(check: ShapeCheckId, what: string): never {
  throw new SimulationFailure(check, what);
}
