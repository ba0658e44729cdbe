import type { LogRepair } from '@ringleader/log-storage';
import type { MemberId, RaftEvent, Seat } from '@ringleader/raft';

/** Facts for logs and metrics. */
export type RaftNodeEvent =
  | RaftEvent
  | { readonly kind: 'tornTailRepaired'; readonly repair: LogRepair }
  | { readonly kind: 'snapshotTaken'; readonly index: number; readonly sizeBytes: number }
  | { readonly kind: 'foundersAwaited'; readonly seats: readonly Seat[] }
  /** A process with another id than that of the member speaks from its seat: its disk was lost. It is told so. */
  | { readonly kind: 'strangerRefused'; readonly seat: Seat; readonly id: MemberId }
  | { readonly kind: 'frameRefused'; readonly reason: string }
  | { readonly kind: 'inboxFull'; readonly dropped: number };
