/** What the log stores. The shapes are those of the Raft core, which this adapter does not know. */

export interface LogEntry {
  readonly index: number;
  readonly term: number;
  readonly kind: number;
  readonly data: Uint8Array;
}

export interface LogHardState {
  readonly term: number;
  readonly vote: number;
  readonly commit: number;
}

export interface LogPoint {
  readonly index: number;
  readonly term: number;
}

/** Of the member's own state. */
export interface LogSnapshot extends LogPoint {
  /** Who was in the group at this point: opaque here. Empty in what was written before groups could change. */
  readonly configuration: Uint8Array;
  /** Taken one by one, each when the one before is written. */
  readonly chunks: Iterable<Uint8Array>;
}

/** What a start had to put right. */
export interface LogRepair {
  readonly file: string;
  readonly offset: number;
  readonly bytes: number;
  readonly reason: string;
}

export interface RecoveredLog {
  readonly identity: LogIdentity | null;
  /** The segments are of the format whose first record comes after its identity: without one, with anything in it, it is lost. */
  readonly wantsIdentity: boolean;
  readonly hardState: LogHardState;
  /** index 0: none. */
  readonly snapshot: LogPoint;
  /** Those after the snapshot. */
  readonly entries: readonly LogEntry[];
  readonly repairs: readonly LogRepair[];
}

export interface LogSeat {
  readonly seat: number;
  readonly id: number;
}

/** Whose log it is. The id is drawn for a new log and never used again; the seat is what the member is called. */
export interface LogIdentity extends LogSeat {
  readonly cluster: string;
  /** The first members of the group; null until they are known. */
  readonly founders: readonly LogSeat[] | null;
  /** Whether the group is known to exist. */
  readonly isBegun: boolean;
}
