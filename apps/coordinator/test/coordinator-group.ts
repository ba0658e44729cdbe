import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Speaker } from '@ringleader/contracts';
import { CoordinationClient } from '@ringleader/coordination';
import type { CoordinatorResponse } from '@ringleader/coordination';
import { UNLOGGED, connectNats } from '@ringleader/nats';
import type { NatsLink } from '@ringleader/nats';
import { systemClock } from '@ringleader/observability';
import type { MemberId } from '@ringleader/primitives';
import { startChild, startNatsServer, until, workspaceRoot } from '@ringleader/testing-servers';
import type { Child, ChildExit, TestServer } from '@ringleader/testing-servers';

type Environment = Readonly<Record<string, string>>;
/** What a member needs besides, of what is known only when the group's folder is there. */
type Preparation = (member: MemberId, dataDirectory: string) => Promise<Environment>;
export type Status = CoordinatorResponse<'status'>;

/** May write nothing below /ringleader/. */
const OPERATOR = { service: 'operator', member: 'test' } as const;
export const WAIT = { timeoutMs: 20_000, everyMs: 20 };
const STOP_GRACE_MS = 6_000;

/** Real coordinator processes on a real nats-server, in a folder of their own. They end with the test's process. */
export class CoordinatorGroup {
  readonly members: readonly MemberId[] = [1, 2, 3];
  readonly #children = new Map<MemberId, Child>();
  readonly #clients = new Map<string, CoordinationClient>();

  private constructor(
    private readonly folder: string,
    readonly nats: TestServer,
    readonly link: NatsLink,
    private readonly environment: Environment,
  ) {}

  static async start(
    environment: Environment = {},
    prepare: Preparation = () => Promise.resolve({}),
  ): Promise<CoordinatorGroup> {
    const main = join(workspaceRoot(), 'apps/coordinator/dist/main.js');
    if (!existsSync(main)) throw new Error(`${main} is not there: build first (tsc -b apps/coordinator)`);
    const folder = await mkdtemp(join(tmpdir(), 'coordinators-'));
    const nats = await startNatsServer({ dir: join(folder, 'nats') });
    const link = await connectNats({ servers: [nats.url], name: 'test' }, UNLOGGED);
    const group = new CoordinatorGroup(folder, nats, link, environment);
    const word = { RINGLEADER_BOOTSTRAP: 'new-cluster' };
    const start = async (member: MemberId): Promise<void> =>
      group.startMember(member, { ...word, ...(await prepare(member, group.dataDirectory(member))) });
    await Promise.all(group.members.map(start));
    await group.leader();
    return group;
  }

  /** Without the word that founds a cluster, unless it is given. */
  async startMember(member: MemberId, environment: Environment = {}): Promise<void> {
    const child = await startChild({
      name: `coordinator-${member}`,
      command: process.execPath,
      args: [join(workspaceRoot(), 'apps/coordinator/dist/main.js')],
      env: {
        ...process.env,
        NODE_OPTIONS: '',
        RINGLEADER_NATS_URL: this.nats.url,
        RINGLEADER_MEMBER: `coordinator-${member}`,
        RINGLEADER_COORDINATOR_ID: String(member),
        RINGLEADER_DATA_DIR: this.dataDirectory(member),
        ...this.environment,
        ...environment,
      },
      logFile: this.logFile(member),
      orphaned: 'lifeline',
    });
    this.#children.set(member, child);
  }

  /** One per set of members to ask, and speaker. */
  client(members: readonly MemberId[] = this.members, speaker: Speaker = OPERATOR): CoordinationClient {
    const name = `${speaker.service} ${speaker.member} ${members.join()}`;
    const { link } = this;
    const client =
      this.#clients.get(name) ??
      new CoordinationClient({ link, cluster: 'local', speaker, clock: systemClock, members });
    this.#clients.set(name, client);
    return client;
  }

  async kill9(member: MemberId): Promise<void> {
    await this.#child(member).stop('SIGKILL', 0);
  }

  /** As a supervisor ends it. */
  terminate(member: MemberId): Promise<ChildExit> {
    return this.#child(member).stop('SIGTERM', STOP_GRACE_MS);
  }

  exited(member: MemberId): Promise<ChildExit> {
    return this.#child(member).exited;
  }

  signal(member: MemberId, signal: NodeJS.Signals): void {
    this.#child(member).signal(signal);
  }

  async status(member: MemberId): Promise<Status | null> {
    return this.client([member]).status(member, { timeoutMs: 500 });
  }

  /** Waits until a majority of those asked agrees on a leader that says so itself. */
  async leader(among: readonly MemberId[] = this.members): Promise<MemberId> {
    let leader: MemberId = 0;
    const isLed = async (): Promise<boolean> => {
      const all = await Promise.all(among.map((member) => this.status(member)));
      const statuses = all.filter((status) => status !== null);
      leader = statuses.find(({ role }) => role === 'leader')?.memberId ?? 0;
      return leader !== 0 && statuses.filter((status) => status.leader === leader).length >= 2;
    };
    await until('a leader', isLed, WAIT);
    return leader;
  }

  /** Waits until the member has applied all that the others have committed. */
  async caughtUp(member: MemberId): Promise<void> {
    const others = this.members.filter((other) => other !== member);
    const isCaughtUp = async (): Promise<boolean> => {
      const [own, ...rest] = await Promise.all([member, ...others].map((id) => this.status(id)));
      const committed = Math.max(...rest.map((status) => status?.commitIndex ?? 0));
      return own !== null && own !== undefined && committed > 0 && own.appliedIndex >= committed;
    };
    await until(`member ${member} caught up`, isCaughtUp, WAIT);
  }

  dataDirectory(member: MemberId): string {
    return join(this.folder, `data-${member}`);
  }

  /** What the member has logged, as text. */
  log(member: MemberId): Promise<string> {
    return readFile(this.logFile(member), 'utf8');
  }

  async stop(): Promise<void> {
    await Promise.all([...this.#children.values()].map((child) => child.stop('SIGKILL', 0)));
    await Promise.all([...this.#clients.values()].map((client) => client.close()));
    await this.link.close();
    await this.nats.stop();
    await rm(this.folder, { recursive: true, force: true });
  }

  private logFile(member: MemberId): string {
    return join(this.folder, `coordinator-${member}.log`);
  }

  #child(member: MemberId): Child {
    const child = this.#children.get(member);
    if (child === undefined) throw new Error(`member ${member} was never started`);
    return child;
  }
}
