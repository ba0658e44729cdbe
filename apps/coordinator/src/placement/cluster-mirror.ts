/**
 * What placement decides on, kept beside the store: parsed once, then changed as the store changes. Reading all of it anew at
 * each change would take longer than deciding.
 */
import {
  CLUSTER_KEY,
  MEMBERS_PREFIX,
  MOVES_PREFIX,
  OperationalError,
  PARTITIONS_PREFIX,
  PLACEMENT_CONTROL_KEY,
  PLACEMENT_ELAPSED_KEY,
  SHARDS_PREFIX,
  SHARD_PLACES_PREFIX,
  VERDICTS_PREFIX,
  clusterSchema,
  memberKey,
  memberSchema,
  moveKey,
  moveSchema,
  partitionEntrySchema,
  partitionKey,
  placementControlSchema,
  placementElapsedSchema,
  prefixRange,
  shardKey,
  shardPlaceKey,
  shardPlaceSchema,
  shardSchema,
  verdictKey,
  verdictRecordSchema,
} from '@ringleader/contracts';
import type { Cluster } from '@ringleader/contracts';
import { parseMetadata } from '@ringleader/coordination';
import { type Compare, type KeyValue, type MvccStore, type TxnCommand, plainRead } from '@ringleader/mvcc';
import type {
  Changes,
  ClusterState,
  Control,
  MapEntry,
  MoveRecord,
  Place,
  PresentShard,
  RegisteredShard,
  ShardVerdict,
} from '@ringleader/placement';
import { invariant } from '@ringleader/primitives';
import type { z } from 'zod';
import { putMetadata } from '../store/metadata.js';
import { toWireItem } from '../store/wire.js';

const SHARD_MEMBERS_PREFIX = `${MEMBERS_PREFIX}shard/`;
const SHARD_VERDICTS_PREFIX = `${VERDICTS_PREFIX}shard/`;

const ms = (iso: string): number => Date.parse(iso);
const iso = (at: number): string => new Date(at).toISOString();

/** Told of a record that does not fit its schema: it counts as not there. */
export type OnUnreadable = (error: OperationalError) => void;

export class ClusterMirror {
  #cluster: Cluster | null = null;
  #control: Control | null = null;
  #elapsed: ReadonlyMap<string, number> = new Map();
  #map: MapEntry[] = [];
  readonly #unreadable = new Set<string>();
  readonly #places = new Map<number, Place>();
  readonly #moves = new Map<number, MoveRecord>();
  readonly #registrations = new Map<string, RegisteredShard>();
  readonly #present = new Map<string, PresentShard>();
  readonly #verdicts = new Map<string, ShardVerdict>();
  /** Of keys that steps are conditional on. */
  readonly #revisions = new Map<string, number>();
  #seen = 0;

  constructor(
    private readonly store: MvccStore,
    private readonly onUnreadable: OnUnreadable,
  ) {
    for (const prefix of [
      ...[
        CLUSTER_KEY,
        PLACEMENT_CONTROL_KEY,
        PLACEMENT_ELAPSED_KEY,
        PARTITIONS_PREFIX,
        SHARD_PLACES_PREFIX,
        MOVES_PREFIX,
      ],
      ...[SHARDS_PREFIX, SHARD_MEMBERS_PREFIX, SHARD_VERDICTS_PREFIX],
    ]) {
      const outcome = store.range({ ...plainRead, ...prefixRange(prefix) });
      invariant(outcome.kind === 'range', 'the present is never compacted');
      for (const item of outcome.items) this.#take(item, true);
    }
    this.#seen = store.revision;
  }

  /** Of the same store: false when that was replaced by a snapshot, so that another mirror is needed. */
  mirrors(store: MvccStore): boolean {
    return this.store === store;
  }

  /** To be called after every command. Whether something changed that placement goes by. */
  advance(): boolean {
    let isChanged = false;
    while (this.#seen < this.store.revision) {
      this.#seen += 1;
      for (const change of this.store.changesAt(this.#seen)) {
        if (this.#tableOf(change.key) === undefined) continue;
        const { item } = change.event(false);
        if (this.#take(item, change.kind === 'put')) isChanged = true;
      }
    }
    return isChanged;
  }

  get cluster(): Cluster | null {
    return this.#cluster;
  }

  /**
   * Whether no entry of the map is missing here. Else nothing may be decided: to go on from the entry before one that cannot
   * be read would make two of one epoch.
   */
  get isWhole(): boolean {
    return this.#unreadable.size === 0;
  }

  /** Not to be kept: it goes on changing. */
  get state(): ClusterState {
    return {
      partitionCount: this.#cluster?.partitionCount ?? 0,
      replicationFactor: this.#cluster?.replicationFactor ?? 0,
      map: this.isWhole ? this.#map : [],
      places: this.#places,
      moves: this.#moves,
      control: this.#control,
      registrations: this.#registrations,
      present: this.#present,
      verdicts: this.#verdicts,
      elapsed: this.#elapsed,
    };
  }

  /** As they were decided on what this mirror has now. */
  commandOf(changes: Changes): TxnCommand {
    const { entries, moves, movesEnded, places, placesEnded, removed, control, elapsed, asSeen } = changes;
    const gone = [...movesEnded.map(moveKey), ...placesEnded.map(shardPlaceKey)];
    if (removed !== null) gone.push(shardKey(removed.shardId), verdictKey('shard', removed.shardId));
    return {
      kind: 'txn',
      compare: [
        this.#isAsSeen(PLACEMENT_CONTROL_KEY),
        ...entries.map(({ partition }) => this.#isAsSeen(partitionKey(partition))),
        ...(removed === null ? [] : [this.#isAsSeen(shardKey(removed.shardId))]),
        ...asSeen.flatMap((shard) =>
          [shardKey(shard), memberKey('shard', shard), verdictKey('shard', shard)].map((key) =>
            this.#isAsSeen(key),
          ),
        ),
      ],
      success: [
        ...(control === null ? [] : [putMetadata(PLACEMENT_CONTROL_KEY, control)]),
        ...(elapsed === null ? [] : [putMetadata(PLACEMENT_ELAPSED_KEY, Object.fromEntries(elapsed))]),
        ...entries.map((entry) => putMetadata(partitionKey(entry.partition), entry)),
        ...moves.map(({ startedAtMs, ...move }) =>
          putMetadata(moveKey(move.partition), { ...move, startedAt: iso(startedAtMs) }),
        ),
        ...places.map(({ sinceMs, ...place }) =>
          putMetadata(shardPlaceKey(place.ordinal), { ...place, since: iso(sinceMs) }),
        ),
        ...gone.map((key) => ({ kind: 'delete', key, rangeEnd: null, wantsPrevious: false }) as const),
      ],
      failure: [],
    };
  }

  #isAsSeen(key: string): Compare {
    const operand = this.#revisions.get(key) ?? 0;
    return { key, rangeEnd: null, target: 'modRevision', result: 'equal', operand };
  }

  #take(item: KeyValue, isPut: boolean): boolean {
    if (isPut) this.#revisions.set(item.key, item.modRevision);
    else this.#revisions.delete(item.key);
    return this.#tableOf(item.key)?.(item, isPut) ?? false;
  }

  #tableOf(key: string): ((item: KeyValue, isPut: boolean) => boolean) | undefined {
    if (key === CLUSTER_KEY) return (item, isPut) => this.#takeCluster(item, isPut);
    if (key === PLACEMENT_CONTROL_KEY) return (item, isPut) => this.#takeControl(item, isPut);
    if (key === PLACEMENT_ELAPSED_KEY) return (item, isPut) => this.#takeElapsed(item, isPut);
    return this.#tables.find(([prefix]) => key.startsWith(prefix))?.[1];
  }

  readonly #tables: readonly (readonly [string, (item: KeyValue, isPut: boolean) => boolean])[] = [
    [PARTITIONS_PREFIX, (item, isPut) => this.#takeEntry(item, isPut)],
    [
      SHARD_PLACES_PREFIX,
      this.#into(this.#places, shardPlaceSchema, Number, ({ since, ...place }) => ({
        ...place,
        sinceMs: ms(since),
      })),
    ],
    [
      MOVES_PREFIX,
      this.#into(this.#moves, moveSchema, Number, ({ startedAt, ...move }) => ({
        ...move,
        startedAtMs: ms(startedAt),
      })),
    ],
    [
      SHARDS_PREFIX,
      this.#into(this.#registrations, shardSchema, String, ({ shardId, ordinal, zone, weight }) => {
        return { shardId, ordinal, zone, weight };
      }),
    ],
    [
      SHARD_MEMBERS_PREFIX,
      this.#into(this.#present, memberSchema, String, ({ ordinal, state }) => {
        return { ordinal, isServing: state === 'serving' };
      }),
    ],
    [
      SHARD_VERDICTS_PREFIX,
      this.#into(this.#verdicts, verdictRecordSchema, String, ({ verdict, since }) => {
        return { verdict, sinceMs: ms(since) };
      }),
    ],
  ];

  #into<Schema extends z.ZodType, Key extends string | number, Value>(
    table: Map<Key, Value>,
    schema: Schema,
    keyOf: (text: string) => Key,
    valueOf: (record: z.infer<Schema>) => Value,
  ): (item: KeyValue, isPut: boolean) => boolean {
    return (item, isPut) => {
      const key = keyOf(item.key.slice(item.key.lastIndexOf('/') + 1));
      const before = table.get(key);
      const record = isPut ? this.#parse(schema, item) : null;
      if (record === null) return table.delete(key);
      const value = valueOf(record);
      table.set(key, value);
      // A registration is written again and again for what placement does not go by.
      return before === undefined || JSON.stringify(before) !== JSON.stringify(value);
    };
  }

  #takeCluster(item: KeyValue, isPut: boolean): boolean {
    this.#cluster = isPut ? this.#parse(clusterSchema, item) : null;
    return true;
  }

  #takeControl(item: KeyValue, isPut: boolean): boolean {
    this.#control = isPut ? this.#parse(placementControlSchema, item) : null;
    return true;
  }

  /** Whoever leads has written it: nothing to look at anew. */
  #takeElapsed(item: KeyValue, isPut: boolean): boolean {
    const elapsed = isPut ? this.#parse(placementElapsedSchema, item) : null;
    this.#elapsed = new Map(Object.entries(elapsed ?? {}));
    return false;
  }

  /** Entries are never deleted, and the first ones come all at once. */
  #takeEntry(item: KeyValue, isPut: boolean): boolean {
    const entry = isPut ? this.#parse(partitionEntrySchema, item) : null;
    if (entry === null) this.#unreadable.add(item.key);
    else {
      this.#unreadable.delete(item.key);
      this.#map[entry.partition] = entry;
    }
    return true;
  }

  #parse<Schema extends z.ZodType>(schema: Schema, item: KeyValue): z.infer<Schema> | null {
    try {
      return parseMetadata(schema, toWireItem(item));
    } catch (error) {
      if (!(error instanceof OperationalError)) throw error;
      this.onUnreadable(error);
      return null;
    }
  }
}
