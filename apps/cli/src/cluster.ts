/** status, where, incidents: what the cluster looks like, for a person or a program. */
import type {
  ClusterView,
  IncidentList,
  KeyPlace,
  Plan,
  Verification,
  VerificationState,
} from '@ringleader/contracts';
import { pauseUnlessAborted } from '@ringleader/timers';
import type { Command } from 'commander';
import { CliFailure, EXIT } from './failure.js';
import { type GatewayClient, bodyOf } from './gateway-client.js';
import { clientOf, type GlobalFlags, stopSignal } from './global-options.js';
import { describeMoves, summarise } from './moves.js';
import { giveUpOption } from './retrying.js';
import { table } from './table.js';
import { Wait } from './waiting.js';

const WATCH_MS = 1_000;
const MOVES_SHOWN = 10;

export function describeCluster(view: ClusterView): string {
  const { partitionMap: map, coordinator } = view;
  const members = view.members.map(({ service, id, state, verdict, version, address }) => [
    id,
    service,
    state,
    verdict,
    // A member of another service may have the same id.
    service === 'coordinator' ? roleOf(id, coordinator) : '',
    version,
    address,
  ]);
  const shards = map.shards.map(({ shard, state, zone, replicas, leaders }) => [
    shard,
    state ?? '',
    zone,
    String(replicas),
    String(leaders),
  ]);
  return [
    `${view.name} (${view.id ?? 'id unknown'}): ${view.health}`,
    ...view.reasons.map((reason) => `  ${reason}`),
    '',
    table(['MEMBER', 'SERVICE', 'STATE', 'VERDICT', 'ROLE', 'VERSION', 'PROBES'], members),
    '',
    `${map.partitions} partitions x ${map.replicationFactor}, map epoch ${map.epoch}, ${map.withoutLeader} without a leader`,
    table(['SHARD', 'STATE', 'ZONE', 'REPLICAS', 'LEADERS'], shards),
  ].join('\n');
}

/** Of a coordinator: in the group, and how far behind. */
function roleOf(id: string, { leader, term, members }: ClusterView['coordinator']): string {
  if (id === leader) return `leader, term ${term ?? '?'}`;
  const member = members.find(({ name }) => name === id);
  if (member === undefined) return '';
  return member.lag === 0 ? member.role : `${member.role}, ${member.lag} behind`;
}

type StatusFlags = GlobalFlags & { readonly watch?: true };

/** The plan is null where the coordinators' leader does not tell it. */
async function look(client: GatewayClient): Promise<{ view: ClusterView; plan: Plan | null }> {
  const [cluster, plan] = await Promise.all([client.cluster(), client.read<Plan>('/plan', 'epoch')]);
  return { view: bodyOf(cluster, client), plan: plan.body ?? null };
}

function describe({ view, plan }: { view: ClusterView; plan: Plan | null }): string {
  const moves =
    plan === null
      ? ['The coordinators do not tell what is moved.']
      : [summarise(plan), ...(plan.moves.length > 0 ? [describeMoves(plan.moves, MOVES_SHOWN)] : [])];
  return [describeCluster(view), '', ...moves].join('\n');
}

async function status(command: Command): Promise<void> {
  const flags = command.optsWithGlobals<StatusFlags>();
  if (flags.watch === true) return watch(flags);
  const client = clientOf(flags);
  const seen = await look(client);
  console.log(
    flags.format === 'json' ? JSON.stringify({ ...seen.view, plan: seen.plan }, null, 2) : describe(seen),
  );
  if (seen.view.health === 'unavailable') process.exitCode = EXIT.nothingDone;
}

/** Until Ctrl-C: on a terminal in place, elsewhere a block, or a line of JSON, whenever something has changed. */
async function watch(flags: StatusFlags): Promise<void> {
  const signal = stopSignal();
  const client = clientOf(flags, signal);
  const screen = new Screen(process.stdout, flags.format === 'text' && process.stdout.isTTY);
  try {
    while (!signal.aborted) {
      const text = await looked(client, flags.format);
      // A look that Ctrl-C has broken off says nothing about the cluster.
      if (signal.aborted) break;
      screen.show(text);
      await pauseUnlessAborted(WATCH_MS, signal);
    }
  } finally {
    screen.close();
  }
  process.exitCode = EXIT.stopped;
}

/** A cluster that cannot be asked is what one watches for, too. */
async function looked(client: GatewayClient, format: GlobalFlags['format']): Promise<string> {
  try {
    const seen = await look(client);
    return format === 'json' ? JSON.stringify({ ...seen.view, plan: seen.plan }) : describe(seen);
  } catch (error) {
    if (error instanceof CliFailure) return error.line(format);
    throw error;
  }
}

const HIDE_CURSOR = '\u001b[?25l';
const SHOW_CURSOR = '\u001b[?25h';
const HOME = '\u001b[H';
const CLEAR_LINE_REST = '\u001b[K';
const CLEAR_REST = '\u001b[J';

export class Screen {
  private shown = '';

  constructor(
    private readonly stream: Pick<NodeJS.WriteStream, 'write' | 'rows' | 'columns'>,
    /** Written over, in place of below, what was shown before. */
    private readonly isInPlace: boolean,
  ) {
    if (isInPlace) stream.write(HIDE_CURSOR + HOME + CLEAR_REST);
  }

  show(text: string): void {
    if (!this.isInPlace) {
      if (text !== this.shown) this.stream.write(`${text}\n`);
      this.shown = text;
      return;
    }
    // Of a terminal that does not know its size it is 0.
    const rows = this.stream.rows || 24;
    const columns = this.stream.columns || 80;
    // What does not fit would scroll, and what is above could not be written over any more.
    const lines = text.split('\n').slice(0, rows - 1);
    const fitting = lines.map((line) => `${line.slice(0, columns)}${CLEAR_LINE_REST}`);
    this.stream.write(`${HOME}${fitting.join('\n')}\n${CLEAR_REST}`);
  }

  close(): void {
    if (this.isInPlace) this.stream.write(SHOW_CURSOR);
  }
}

async function where(key: string, command: Command): Promise<void> {
  const flags = command.optsWithGlobals<GlobalFlags>();
  const client = clientOf(flags);
  const query = new URLSearchParams({ key }).toString();
  const place = bodyOf(await client.read<KeyPlace>(`/where?${query}`, 'partition'), client);
  console.log(flags.format === 'json' ? JSON.stringify(place, null, 2) : describePlace(place));
}

export function describePlace(place: KeyPlace): string {
  const { partition, epoch, replicas, nextReplicas, learners, leader, preferredLeader } = place;
  const led = leader === preferredLeader ? '' : ` (${preferredLeader} is to lead)`;
  return [
    `partition ${partition}, epoch ${epoch}`,
    `leader    ${leader ?? 'nobody'}${led}`,
    `replicas  ${replicas.join(', ')}`,
    ...(nextReplicas === null ? [] : [`next      ${nextReplicas.join(', ')}`]),
    ...(learners.length === 0 ? [] : [`learners  ${learners.join(', ')}`]),
  ].join('\n');
}

async function incidents(command: Command): Promise<void> {
  const flags = command.optsWithGlobals<GlobalFlags>();
  const client = clientOf(flags);
  const { items } = bodyOf(await client.read<IncidentList>('/incidents', 'items'), client);
  const rows = items.map(({ at, kind, shard, partition, mended, detail }) => [
    at,
    kind,
    shard,
    String(partition ?? ''),
    mended ? 'mended' : 'NOT MENDED',
    detail,
  ]);
  const text =
    items.length === 0
      ? 'There was none.'
      : table(['AT', 'KIND', 'SHARD', 'PARTITION', 'STATE', 'WHAT'], rows);
  console.log(flags.format === 'json' ? JSON.stringify(items, null, 2) : text);
}

type VerifyFlags = GlobalFlags & { readonly wait: boolean; readonly giveUpAfter: number };

async function verify(command: Command): Promise<void> {
  const flags = command.optsWithGlobals<VerifyFlags>();
  const signal = stopSignal();
  const client = clientOf(flags, signal);
  const begun = bodyOf(await client.change<Verification>(':verify', { method: 'POST' }, 'id'), client, true);
  const wait = new Wait({
    ...{ giveUpAfterSeconds: flags.giveUpAfter, signal },
    goesOn: 'The verification goes on all the same: ringleader verify waits for it again',
  });
  const last = flags.wait ? await verified(client, begun, wait) : begun;
  console.log(flags.format === 'json' ? JSON.stringify(last, null, 2) : describeVerification(last));
  if (last.differed > 0) process.exitCode = EXIT.condition;
  else if (last.endedAt !== null && last.incomplete > 0) process.exitCode = EXIT.failed;
}

/** Until it has ended; says how far it is. */
async function verified(client: GatewayClient, begun: Verification, wait: Wait): Promise<Verification> {
  let present = begun;
  while (present.endedAt === null) {
    wait.say(`${present.partitionsDone} of ${present.partitionsTotal} partitions`);
    await wait.pause(WATCH_MS);
    const answer = await wait.ask(() => client.read<VerificationState>('/verification', 'verification'));
    const { verification } = bodyOf(answer, client);
    if (verification?.id !== begun.id) throw new CliFailure('Another verification has been begun since.');
    present = verification;
  }
  return present;
}

export function describeVerification(state: Verification): string {
  const { endedAt, partitionsDone, partitionsTotal, incomplete, rows, differed, mended } = state;
  const how = endedAt === null ? 'is under way' : 'has ended';
  return [
    `The verification ${how}: ${partitionsDone} of ${partitionsTotal} partitions, ${rows} rows compared.`,
    differed === 0
      ? 'No replica differed.'
      : `${differed} rows differed, ${mended} of them are mended: see incidents.`,
    ...(incomplete === 0
      ? []
      : [`Of ${incomplete} partitions not all replicas could be compared: verify again.`]),
  ].join('\n');
}

export function addClusterCommands(root: Command): void {
  root
    .command('status')
    .description(
      'Members, verdicts, partitions, leaders and moves; exits with 5 where the cluster is unavailable.',
    )
    .option('--watch', 'goes on until Ctrl-C')
    .action((_flags: unknown, command: Command) => status(command));
  root
    .command('where')
    .description('The partition of a key, who holds it and who leads it.')
    .argument('<key>')
    .action((key: string, _flags: unknown, command: Command) => where(key, command));
  root
    .command('incidents')
    .description('What should never happen, and did; with -o json a list.')
    .action((_flags: unknown, command: Command) => incidents(command));
  root
    .command('verify')
    .description(
      'Holds all replicas against each other, and mends them; exits with 4 where rows differed, with 1 where not all could be compared.',
    )
    .option('--no-wait', 'only begins it')
    .addOption(giveUpOption('of waiting, where nobody tells how far it is'))
    .action((_flags: unknown, command: Command) => verify(command));
}
