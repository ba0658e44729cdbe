/**
 * Which images a cluster runs. Where it names none it keeps those that were chosen for it, whatever a newer operator would choose: an
 * upgrade of the operator rolls nobody's pods. They stand in the status; of a cluster from before they did, its pods' templates tell.
 * What is named and runs everywhere is what was chosen from then on, so that a line that is dropped changes nothing either; one that
 * never ran (a bad image) leaves no trace.
 */
import { CHOOSE_IMAGES_ANNOTATION, type RingleaderCluster } from '@ringleader/contracts';
import { askedIn, isOlder } from './asked.js';
import type { PlannerRules } from './rules.js';
import {
  type ChosenImages,
  COMPONENTS,
  type Component,
  type Images,
  type Note,
  type Observed,
  type WorkloadSeen,
} from './types.js';

export function chooseImages(observed: Observed, rules: PlannerRules): ChosenImages {
  const { cluster, operatorImages: operators, nowMs } = observed;
  const named = namedImages(cluster);
  const asked = askedIn(cluster, CHOOSE_IMAGES_ANNOTATION, nowMs);
  const { chosenAt, ...before } = cluster.status?.images ?? { ...seenImages(observed), chosenAt: null };
  const isAsked = isOlder(asked, Date.parse(chosenAt ?? '') || nowMs);
  const picked = isAsked ? anew(before, operators) : rules.imagesKept(before, operators);
  const chosen = { ...picked, ...settledImages(observed, named) };
  return {
    run: { ...chosen, ...named },
    chosen: { ...chosen, chosenAt: isAsked ? isoTime(nowMs) : (chosenAt ?? isoTime(nowMs)) },
    notes:
      asked.kind === 'wrong' ? [asked.note] : asked.kind === 'no' ? [] : keptMajor(chosen, observed, named),
  };
}
/** Whose pods run Ringleader's image, each in a container of its own name. */
const SERVICES = COMPONENTS.filter((component) => component !== 'nats');
const isoTime = (ms: number): string => new Date(ms).toISOString();

export function namedImages({ spec }: Pick<RingleaderCluster, 'spec'>): Partial<Images> {
  const named = {
    ringleader: spec.images.ringleader,
    postgres: spec.shards.postgres.image,
    nats: spec.nats.managed?.image,
  };
  return Object.fromEntries(Object.entries(named).filter(([, image]) => image !== undefined));
}

/** Of a cluster whose status does not say: what its pods are made of, and where it has none the operator's. */
function seenImages({ workloads, operatorImages, cluster }: Observed): Images {
  const { spec } = cluster;
  // What is named may be a mistake.
  const seen = (component: Component, container: string, named: string | undefined): string | undefined =>
    named === undefined ? workloads[component]?.images[container] : undefined;
  // Whichever was made before somebody stopped.
  const services = SERVICES.map((service) => seen(service, service, spec.images.ringleader));
  return {
    ringleader: services.find((image) => image !== undefined) ?? operatorImages.ringleader,
    postgres: seen('shard', 'postgres', spec.shards.postgres.image) ?? operatorImages.postgres,
    nats: seen('nats', 'nats', spec.nats.managed?.image) ?? operatorImages.nats,
  };
}

/** The operator's, but for a PostgreSQL of another major version, which could not read the volumes. */
function anew(before: Images, operators: Images): Images {
  const isReadable = majorOf(before.postgres) === majorOf(operators.postgres);
  return isReadable ? operators : { ...operators, postgres: before.postgres };
}

/** Of an image with a tag, as in postgres:17-bookworm; of one by its digest nobody can tell, so it is like no other. */
const majorOf = (image: string): string => /:(\d+)[^/]*$/.exec(image)?.[1] ?? image;

function keptMajor(chosen: Images, { operatorImages }: Observed, named: Partial<Images>): Note[] {
  const { postgres } = operatorImages;
  if (named.postgres !== undefined || majorOf(chosen.postgres) === majorOf(postgres)) return [];
  const message = `PostgreSQL stays ${chosen.postgres}: the operator’s ${postgres} may not read the volumes`;
  return [{ kind: 'refused', reason: 'OtherMajorVersion', message }];
}

/** What is named, where nothing else runs any more. */
function settledImages({ workloads, cluster }: Observed, named: Partial<Images>): Partial<Images> {
  const runs = (component: Component, container: string, image: string | undefined): boolean =>
    image !== undefined && isSettled(workloads[component], container, image);
  const hasNats = cluster.spec.nats.external === undefined;
  return {
    ...(SERVICES.every((service) => runs(service, service, named.ringleader)) && pick(named, 'ringleader')),
    ...(runs('shard', 'postgres', named.postgres) && pick(named, 'postgres')),
    ...(hasNats && runs('nats', 'nats', named.nats) && pick(named, 'nats')),
  };
}

const pick = (images: Partial<Images>, which: keyof Images): Partial<Images> => ({ [which]: images[which] });

function isSettled(workload: WorkloadSeen | undefined, container: string, image: string): boolean {
  if (workload?.isCurrent !== true || workload.images[container] !== image) return false;
  const { replicas, readyReplicas, updatedReplicas } = workload;
  return readyReplicas >= replicas && updatedReplicas >= replicas;
}
