/** What one cluster, with one nats-server, survives one after the other. */
import { killAnyProcess } from './kill-any-process.js';
import { onOneCluster } from './loaded-cluster.js';
import { pauses } from './pause-and-majority.js';

onOneCluster({}, { 'kill -9 under load': killAnyProcess, 'pauses under load': pauses });
