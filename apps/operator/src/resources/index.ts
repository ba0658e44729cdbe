export * from './names.js';
export { natsCertificateHosts, natsConf, natsFilesHash, type NatsSecrets } from './nats.js';
export { MONITORING_LABEL } from './network-policies.js';
export { OWNED_KINDS, ownedObjects, usesCertManager, type OwnedKind } from './owned-objects.js';
export { GRACE_SECONDS, managedNats, PORTS, PRIORITY_CLASSES } from './pods.js';
export { authorityConfigMap, secretManifest, type SecretParts } from './secrets.js';
export { BOOTSTRAP_KEYS } from './stateful-services.js';
export { gatewayHosts } from './stateless-services.js';
