/** What operators change while the cluster runs: gateways write it, for them, and everybody follows it. */
import { BALANCER_STRATEGIES } from '@ringleader/balancer';
import { z } from 'zod';

/** Absent: everything is as each process was configured. */
export const SETTINGS_KEY = '/ringleader/settings';

const strategy = z
  .enum(BALANCER_STRATEGIES)
  .describe('How a replica is picked for what any replica may serve.');

/** A part that is absent is as each process was configured. */
export const settingsSchema = z
  .looseObject({ balancer: z.looseObject({ strategy: strategy.optional() }).optional() })
  .meta({ id: 'Settings' });
export type Settings = z.infer<typeof settingsSchema>;

/** RFC 7396: null takes a part out. */
export const settingsPatchSchema = z
  .strictObject({
    balancer: z.strictObject({ strategy: strategy.nullable().optional() }).nullable().optional(),
  })
  .meta({ id: 'SettingsPatch' });
export type SettingsPatch = z.infer<typeof settingsPatchSchema>;
