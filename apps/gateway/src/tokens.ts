/** What controllers are given that is no class: names for NestJS' injector. */
import type { ClusterView } from '@ringleader/contracts';

/** Empty when the gateway can serve; otherwise one sentence for each reason. */
export type Readiness = () => readonly string[];
export type ClusterReport = () => ClusterView;

export const READINESS = Symbol('readiness');
export const METRICS = Symbol('metrics');
export const CLUSTER_REPORT = Symbol('cluster report');
