/** What can be changed while the cluster runs: written here for operators, followed by every gateway. */
import { Injectable, type BeforeApplicationShutdown, type OnApplicationBootstrap } from '@nestjs/common';
import { OperationalError, SETTINGS_KEY, settingsSchema } from '@ringleader/contracts';
import type { KeyValue, Settings, SettingsPatch } from '@ringleader/contracts';
import { PrefixMirror, parseMetadata } from '@ringleader/coordination';
import type { CallOptions, Coordinator } from '@ringleader/coordination';
import { Coordination, ServiceClock, ServiceLogger } from '@ringleader/service-host';
import { ReplicaPicker } from '../routing/replica-picker.js';

export interface VersionedSettings {
  readonly settings: Settings;
  /** 0 while nobody has set anything. */
  readonly revision: number;
}

type SettingsClient = Pick<Coordinator, 'range' | 'txn'>;

export async function readSettings(client: SettingsClient, options: CallOptions): Promise<VersionedSettings> {
  const { items } = await client.range({ key: SETTINGS_KEY }, options);
  return versioned(items[0]);
}

/** RFC 7396. `ifRevision` null: whatever stands there. */
export async function patchSettings(
  client: SettingsClient,
  { patch, ifRevision }: { readonly patch: SettingsPatch; readonly ifRevision: number | null },
  options: CallOptions,
): Promise<VersionedSettings> {
  for (;;) {
    const { settings, revision } = await readSettings(client, options);
    if (ifRevision !== null && ifRevision !== revision) throw changedMeanwhile(revision);
    const next = settingsSchema.parse(mergePatch(settings, patch));
    const { succeeded, revision: written } = await client.txn(
      {
        compare: [{ key: SETTINGS_KEY, target: 'modRevision', result: 'equal', operand: revision }],
        success: [{ kind: 'put', key: SETTINGS_KEY, value: JSON.stringify(next) }],
        failure: [],
      },
      options,
    );
    if (succeeded) return { settings: next, revision: written };
  }
}

function versioned(item: KeyValue | undefined): VersionedSettings {
  if (item === undefined) return { settings: {}, revision: 0 };
  return { settings: parseMetadata(settingsSchema, item), revision: item.modRevision };
}

function changedMeanwhile(revision: number): OperationalError {
  const detail = `The settings are at revision ${revision}`;
  return new OperationalError('PRECONDITION_FAILED', detail, { revision });
}

type Json = Readonly<Record<string, unknown>>;

function mergePatch(target: Json, patch: Json): Json {
  const merged = Object.entries(patch).map(([name, value]) => {
    if (!isObject(value)) return [name, value];
    const before = target[name];
    return [name, mergePatch(isObject(before) ? before : {}, value)];
  });
  const all: Json = { ...target, ...(Object.fromEntries(merged) as Json) };
  return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== null && value !== undefined));
}

function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Keeps this gateway to them. */
@Injectable()
export class SettingsFollower implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly mirror: PrefixMirror;

  constructor(
    client: Coordination,
    clock: ServiceClock,
    private readonly logger: ServiceLogger,
    private readonly replicas: ReplicaPicker,
  ) {
    this.mirror = new PrefixMirror({
      ...{ client, clock, prefix: SETTINGS_KEY },
      onChange: () => this.take(this.mirror.items.get(SETTINGS_KEY)),
      onTrouble: (error) => logger.warn({ error }, 'The settings cannot be followed'),
    });
  }

  onApplicationBootstrap(): void {
    void this.mirror.start();
  }

  beforeApplicationShutdown(): void {
    this.mirror.stop();
  }

  private take(item: KeyValue | undefined): void {
    const before = this.replicas.strategy;
    try {
      this.replicas.use(versioned(item).settings.balancer?.strategy ?? null);
    } catch (error) {
      // Written by a newer gateway, which knows more strategies.
      if (!(error instanceof OperationalError)) throw error;
      this.logger.warn({ error }, 'The settings are none that this version knows');
    }
    const { strategy } = this.replicas;
    if (strategy !== before) this.logger.info({ strategy, before }, 'Balances by another strategy');
  }
}
