/** Whom this gateway lets in: by its configuration, and by the records of tokens that it follows. */
import {
  type BeforeApplicationShutdown,
  Injectable,
  Module,
  type OnApplicationBootstrap,
} from '@nestjs/common';
import { OperationalError, ROOT_TOKEN_ID, TOKENS_PREFIX } from '@ringleader/contracts';
import { PrefixMirror } from '@ringleader/coordination';
import { Coordination, ServiceClock, ServiceLogger } from '@ringleader/service-host';
import { GatewayConfig } from '../gateway.config.js';
import { Authenticator } from './authenticator.js';
import type { RootToken } from './authenticator.js';
import { almighty } from './caller.js';
import { Guard } from './guard.js';
import { KubernetesTokens } from './kubernetes-tokens.js';
import type { ApiServer } from './kubernetes-tokens.js';
import { KnownTokens } from './known-tokens.js';
import { RootTokenFile } from './root-token.js';
import { TokenStore } from './token-store.js';

const NO_ROOT: RootToken = { hashes: [], caller: almighty('nobody') };

/** The parts that know each other, and what keeps them up to date. */
@Injectable()
export class AccessControl implements OnApplicationBootstrap, BeforeApplicationShutdown {
  readonly guard: Guard;
  readonly store: TokenStore;
  private readonly mirror: PrefixMirror;
  private readonly tokens: KnownTokens;
  private readonly rootFile: RootTokenFile | null;
  private readonly reviewer: KubernetesTokens | null;

  constructor(
    config: GatewayConfig,
    client: Coordination,
    clock: ServiceClock,
    private readonly logger: ServiceLogger,
  ) {
    const { RINGLEADER_AUTHENTICATION: mode, RINGLEADER_ROOT_TOKEN_FILE: file } = config;
    this.rootFile =
      mode === 'none' || file === undefined
        ? null
        : new RootTokenFile(file, config.RINGLEADER_ROOT_TOKEN_ALSO_FILES);
    this.tokens = new KnownTokens((error) => logger.warn({ error }, 'A token cannot be read'));
    const { tokens } = this;
    const apiServer = apiServerOf(config);
    const isGranted = (account: string): boolean => tokens.callerOfAccount(account, clock.wallMs()) !== null;
    this.reviewer = apiServer && new KubernetesTokens({ apiServer, clock, isGranted });
    const authenticator = new Authenticator({
      ...{ tokens, clock, root: this.rootFile ?? NO_ROOT, reviewer: this.reviewer },
      isFilled: () => this.mirror.stalenessMs() !== null,
    });
    this.guard = new Guard({ authenticator: mode === 'none' ? null : authenticator, clock, logger });
    this.store = new TokenStore({ client, clock, delegatedMax: config.RINGLEADER_DELEGATED_TOKENS_MAX });
    this.mirror = new PrefixMirror({
      ...{ client, clock, prefix: TOKENS_PREFIX },
      onChange: (change) => {
        tokens.apply(change);
        authenticator.forget();
        this.guard.revoke(change.deletes.map((key) => key.slice(TOKENS_PREFIX.length)));
        this.store.knows(change.revision);
      },
      onTrouble: (error) => logger.warn({ error }, 'The tokens cannot be followed'),
    });
    this.rootFile?.follow((error, ended) => {
      authenticator.forget();
      // Whose token is taken still, goes on.
      if (ended) this.guard.revoke([ROOT_TOKEN_ID]);
      if (error === null) logger.info({ file }, 'Takes another root token');
      else logger.error({ file, error }, 'The root token cannot be read: there is none now');
    });
  }

  /** Tokens that are refused since this version cannot read their records. */
  get unreadableTokens(): number {
    return this.tokens.unreadableCount;
  }

  onApplicationBootstrap(): void {
    void this.mirror.start();
  }

  beforeApplicationShutdown(): void {
    this.rootFile?.stop();
    this.mirror.stop();
    this.reviewer?.close();
  }
}

/** As Kubernetes mounts it into every pod that is to have it. */
const ACCOUNT_FOLDER = '/var/run/secrets/kubernetes.io/serviceaccount';

function apiServerOf(config: GatewayConfig): ApiServer | null {
  const { RINGLEADER_TOKEN_REVIEW: review, RINGLEADER_AUTHENTICATION: mode } = config;
  const { KUBERNETES_SERVICE_HOST: host, KUBERNETES_SERVICE_PORT: port } = config;
  if (review === 'no' || mode === 'none') return null;
  if (host !== undefined && port !== undefined) {
    return { host, port, caFile: `${ACCOUNT_FOLDER}/ca.crt`, tokenFile: `${ACCOUNT_FOLDER}/token` };
  }
  const detail =
    'RINGLEADER_TOKEN_REVIEW: is for pods of Kubernetes, which have KUBERNETES_SERVICE_HOST and _PORT';
  throw new OperationalError('CONFIG_INVALID', detail);
}

@Module({
  providers: [
    AccessControl,
    { provide: Guard, useFactory: ({ guard }: AccessControl) => guard, inject: [AccessControl] },
    { provide: TokenStore, useFactory: ({ store }: AccessControl) => store, inject: [AccessControl] },
  ],
  exports: [AccessControl, Guard, TokenStore],
})
export class AccessModule {}
