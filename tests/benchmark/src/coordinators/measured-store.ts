/** What is measured: the coordinators' store, or etcd's, each by its own protocol and from one Node process. */
export interface MeasuredStore {
  readonly name: string;
  /** Of all server processes. */
  readonly pids: readonly number[];
  /** The one of them that only carries messages. */
  readonly carrierPid: number | null;
  put(key: string, value: string): Promise<void>;
  /** Linearizable. */
  get(key: string): Promise<void>;
  /** From now on; `onValues` has the values of a key or, by `rangeEnd`, of all from it up to there, as they come. */
  watch(range: WatchedRange, onValues: (values: readonly string[]) => void): Promise<void>;
  /** Ends the watches too. */
  stop(): Promise<void>;
}

export interface WatchedRange {
  readonly key: string;
  readonly rangeEnd?: string;
}
