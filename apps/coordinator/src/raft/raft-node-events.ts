import type { LogRepair } from '@ringleader/log-storage';
import type { RaftEvent } from '@ringleader/raft';

/** Facts for logs and metrics. */
export type RaftNodeEvent =
  | RaftEvent
  | { readonly kind: 'tornTailRepaired'; readonly repair: LogRepair }
  | { readonly kind: 'snapshotTaken'; readonly index: number; readonly sizeBytes: number }
  | { readonly kind: 'frameRefused'; readonly reason: string }
  | { readonly kind: 'inboxFull'; readonly dropped: number };
