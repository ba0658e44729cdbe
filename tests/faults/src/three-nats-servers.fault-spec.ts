/** What one cluster, with three nats-servers and links that can be cut, survives one after the other. */
import { cutLinks } from './cut-links.js';
import { onOneCluster } from './loaded-cluster.js';
import { natsServers } from './nats-servers.js';
import { randomMix } from './random-mix.js';

onOneCluster(
  { cuttable: true, nats: 3 },
  {
    'one of three nats-servers under load': natsServers,
    'cut links under load': cutLinks,
    'a random mix of faults under load': randomMix,
  },
);
