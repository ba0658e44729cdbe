/** What happens, as data that fast-check draws and makes short. */
import fc from 'fast-check';
import { BAD_IMAGE, GOOD_IMAGES } from './cluster-of.js';
import type { Look } from './world.js';

interface Picked<Kind> {
  readonly kind: Kind;
  readonly pick: number;
}
interface Sized<Kind> {
  readonly kind: Kind;
  readonly replicas: number;
}
export type Edit =
  | Sized<'shards' | 'coordinators' | 'nats' | 'gateways'>
  | { readonly kind: 'image' | 'natsImage'; readonly image: string | undefined }
  | { readonly kind: 'size'; readonly size: string };
export type Harm = Picked<'kill' | 'drainNode' | 'loseVolume'> | { readonly kind: 'killAll' };
export type Event =
  | ({ readonly kind: 'reconcile'; readonly endsAfter: number } & Look)
  | { readonly kind: 'control' | 'raft' | 'place' | 'settle' | 'round' }
  | { readonly kind: 'pauseByPerson' | 'resumeByPerson' | 'removeByPerson' }
  | Picked<'kubelet' | 'elect' | 'drainByPerson'>
  | (Sized<'scaleByHand'> & { readonly component: 'nats' | 'coordinator' | 'shard' })
  | { readonly kind: 'pauseOperator'; readonly isPaused: boolean }
  | { readonly kind: 'upgradeOperator'; readonly image: string }
  | Edit
  | Harm;

const pick = fc.nat({ max: 40 });
const kinds = <Kind extends string>(...list: readonly Kind[]) =>
  fc.record({ kind: fc.constantFrom(...list) });
const picked = <Kind extends string>(...list: readonly Kind[]) =>
  fc.record({ kind: fc.constantFrom(...list), pick });
const sized = <Kind extends string>(kind: Kind, ...replicas: readonly number[]) =>
  fc.record({ kind: fc.constant(kind), replicas: fc.constantFrom(...replicas) });

const reconcile = fc.record({
  kind: fc.constant('reconcile' as const),
  endsAfter: fc.oneof(
    { weight: 4, arbitrary: fc.constant(1_000) },
    { weight: 1, arbitrary: fc.nat({ max: 4 }) },
  ),
  kubeAge: fc.oneof({ weight: 3, arbitrary: fc.constant(0) }, { weight: 1, arbitrary: fc.nat({ max: 5 }) }),
  dataAge: fc.oneof({ weight: 3, arbitrary: fc.constant(0) }, { weight: 1, arbitrary: fc.nat({ max: 5 }) }),
});
const images = fc.constantFrom(...GOOD_IMAGES, BAD_IMAGE, undefined);

const event: fc.Arbitrary<Event> = fc.oneof(
  { weight: 14, arbitrary: reconcile },
  { weight: 12, arbitrary: kinds('control', 'raft', 'place') },
  { weight: 2, arbitrary: kinds('settle') },
  { weight: 6, arbitrary: kinds('round') },
  { weight: 10, arbitrary: picked('kubelet') },
  { weight: 3, arbitrary: sized('shards', 3, 4, 5, 6) },
  { weight: 3, arbitrary: sized('coordinators', 1, 3, 5) },
  {
    weight: 3,
    arbitrary: fc.record({ kind: fc.constantFrom('image' as const, 'natsImage'), image: images }),
  },
  { weight: 4, arbitrary: picked('kill', 'drainNode', 'loseVolume', 'elect', 'drainByPerson') },
  { weight: 2, arbitrary: kinds('pauseByPerson', 'resumeByPerson', 'removeByPerson', 'killAll') },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('scaleByHand' as const),
      component: fc.constantFrom('nats', 'coordinator', 'shard'),
      replicas: fc.nat({ max: 7 }),
    }),
  },
  { weight: 1, arbitrary: sized('nats', 1, 3) },
  { weight: 1, arbitrary: sized('gateways', 0, 1, 3) },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant('size' as const), size: fc.constantFrom('10Gi', '20Gi') }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant('pauseOperator' as const), isPaused: fc.boolean() }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('upgradeOperator' as const),
      image: fc.constantFrom(...GOOD_IMAGES),
    }),
  },
);
/** Most begin with a cluster that is there. */
export const stories = fc
  .tuple(fc.boolean(), fc.array(event, { maxLength: 60, size: 'max' }))
  .map(([isFounded, events]): readonly Event[] => (isFounded ? [{ kind: 'settle' }, ...events] : events));
