/**
 * From the detectors' votes and what is registered to what is written: pure reading of the store, one conditional
 * transaction for each verdict that changes.
 */
import {
  MEMBERS_PREFIX,
  SERVICES,
  SHARD_PLACES_PREFIX,
  VERDICTS_PREFIX,
  memberKey,
  memberSchema,
  prefixRange,
  shardKey,
  shardPlaceSchema,
  verdictKey,
  verdictRecordSchema,
} from '@ringleader/contracts';
import type { Member, Service, VerdictRecord, Vote } from '@ringleader/contracts';
import { quorumOf } from '@ringleader/failure-detection';
import type { VerdictTally } from '@ringleader/failure-detection';
import { plainRead, type Compare, type MvccStore, type TxnCommand } from '@ringleader/mvcc';
import type { Clock } from '@ringleader/primitives';
import type { z } from 'zod';
import { hasMetadata, putMetadata, readReadable, type MetadataItem } from '../store/metadata.js';

/** A vote without what the tally knows of it. */
export type Evidence = Omit<Vote, 'detector' | 'verdict' | 'incarnation'>;

export interface VerdictStep {
  /** `shard/shard-1` */
  readonly member: string;
  readonly before: VerdictRecord['verdict'];
  /** Null: nobody is left of whom it could be said. */
  readonly record: VerdictRecord | null;
  readonly command: TxnCommand;
}

export interface TallyContext {
  readonly store: MvccStore;
  readonly tally: VerdictTally<Evidence>;
  readonly clock: Clock;
  /** How many detectors there should be. */
  readonly detectors: number;
}

export const memberName = (service: Service, id: string): string => `${service}/${id}`;

export function readVerdicts(store: MvccStore): Map<string, MetadataItem<VerdictRecord>> {
  const items = readReadable(store, prefixRange(VERDICTS_PREFIX), verdictRecordSchema);
  return new Map(items.map((item) => [memberName(item.value.service, item.value.id), item]));
}

/** All verdicts that are to be changed now. */
export function verdictSteps(context: TallyContext): VerdictStep[] {
  const records = readVerdicts(context.store);
  const doubted = context.tally.mentioned(context.clock.monotonicMs());
  const quorum = detectorQuorum(context);
  return [...new Set([...records.keys(), ...doubted])].flatMap((name) => {
    const subject = subjectOf(context.store, name);
    return subject === null ? [] : (stepFor(context, subject, quorum) ?? []);
  });
}

/** So many of them a verdict takes. */
export function detectorQuorum({ store, detectors }: Pick<TallyContext, 'store' | 'detectors'>): number {
  return quorumOf(registeredDetectors(store), detectors);
}

function registeredDetectors(store: MvccStore): number {
  const outcome = store.range({
    ...{ ...plainRead, ...prefixRange(`${MEMBERS_PREFIX}failure-detector/`) },
    countOnly: true,
  });
  return outcome.kind === 'range' ? outcome.count : 0;
}

interface Subject {
  readonly service: Service;
  readonly id: string;
  readonly record: MetadataItem<VerdictRecord> | null;
  /** Under a lease: null once it has left, or its lease has run out. */
  readonly registered: MetadataItem<Member> | null;
  /** Shards stay what they are when they are away. */
  readonly isKept: boolean;
}

/** Null where nothing is to be said: of who cannot be read, too. */
function subjectOf(store: MvccStore, name: string): Subject | null {
  const slash = name.indexOf('/');
  const service = SERVICES.find((known) => known === name.slice(0, slash));
  if (service === undefined) return null;
  const id = name.slice(slash + 1);
  const record = readOne(store, verdictKey(service, id), verdictRecordSchema);
  const registered = readOne(store, memberKey(service, id), memberSchema);
  if (record === undefined || registered === undefined) return null;
  const isKept = registered !== null || (service === 'shard' && isShard(store, id));
  return { service, id, record, registered, isKept };
}

/** Null where there is no such key, undefined where what is there cannot be read. */
function readOne<Schema extends z.ZodType>(
  store: MvccStore,
  key: string,
  schema: Schema,
): MetadataItem<z.infer<Schema>> | null | undefined {
  const range = { key, rangeEnd: null };
  return readReadable(store, range, schema)[0] ?? (hasMetadata(store, range) ? undefined : null);
}

function isShard(store: MvccStore, id: string): boolean {
  if (hasMetadata(store, { key: shardKey(id), rangeEnd: null })) return true;
  const places = readReadable(store, prefixRange(SHARD_PLACES_PREFIX), shardPlaceSchema);
  return places.some(({ value }) => value.shardId === id);
}

function stepFor(context: TallyContext, subject: Subject, quorum: number): VerdictStep | null {
  const { record, registered } = subject;
  if (!subject.isKept) return record === null ? null : change(subject, null);
  const instance = registered?.value.instance ?? null;
  if (isOfAnother(record?.value ?? null, instance)) {
    return change(subject, recordOf(context, subject, { verdict: 'alive', instance, votes: [] }));
  }
  const name = memberName(subject.service, subject.id);
  const now = context.clock.monotonicMs();
  const judgement = context.tally.judge(name, { registered: instance, quorum }, now);
  if (judgement === null || judgement.verdict === verdictBefore(subject)) return null;
  const votes = judgement.ballots.map(({ detector, verdict, incarnation, evidence }): Vote => ({
    detector,
    verdict,
    incarnation,
    ...evidence,
  }));
  return change(subject, recordOf(context, subject, { ...judgement, votes }));
}

const verdictBefore = ({ record }: Subject): VerdictRecord['verdict'] => record?.value.verdict ?? 'alive';

/** Held against a process that was replaced by the registered one. */
function isOfAnother(record: VerdictRecord | null, registered: string | null): boolean {
  if (record === null || record.verdict === 'alive') return false;
  return record.instance !== null && registered !== null && record.instance !== registered;
}

function recordOf(
  { clock }: TallyContext,
  { service, id }: Subject,
  { verdict, instance, votes }: Pick<VerdictRecord, 'verdict' | 'instance' | 'votes'>,
): VerdictRecord {
  return { service, id, instance, verdict, since: new Date(clock.wallMs()).toISOString(), votes };
}

/** If neither the verdict nor the registration has changed meanwhile. */
function change(subject: Subject, to: VerdictRecord | null): VerdictStep {
  const { service, id, record, registered } = subject;
  const key = verdictKey(service, id);
  const unchanged = (of: string, modRevision: number | undefined): Compare => {
    return { key: of, rangeEnd: null, target: 'modRevision', result: 'equal', operand: modRevision ?? 0 };
  };
  return {
    member: memberName(service, id),
    before: verdictBefore(subject),
    record: to,
    command: {
      kind: 'txn',
      compare: [
        unchanged(key, record?.modRevision),
        unchanged(memberKey(service, id), registered?.modRevision),
      ],
      success: [
        to === null ? { kind: 'delete', key, rangeEnd: null, wantsPrevious: false } : putMetadata(key, to),
      ],
      failure: [],
    },
  };
}
