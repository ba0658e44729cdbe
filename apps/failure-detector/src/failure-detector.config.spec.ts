import { describe, expect, it } from '@jest/globals';
import { loadConfig } from '@ringleader/config';
import { DETECTOR_DEFAULTS } from '@ringleader/failure-detection';
import { detectorSettings, failureDetectorConfigSchema } from './failure-detector.config.js';

const load = (environment: Record<string, string>) =>
  loadConfig(failureDetectorConfigSchema, { RINGLEADER_MEMBER: 'failure-detector-1', ...environment });

describe('failureDetectorConfigSchema', () => {
  it('needs nothing but the name, and then detects as the core does by default', () => {
    expect(detectorSettings(load({}))).toEqual(DETECTOR_DEFAULTS);
  });

  it('takes the thresholds from the environment', () => {
    const config = load({ RINGLEADER_PHI_THRESHOLD: '5.5', RINGLEADER_ACCEPTABLE_PAUSE_MS: '300' });
    expect(detectorSettings(config)).toMatchObject({ phiThreshold: 5.5, acceptablePauseMs: 300 });
  });

  it('refuses suspicions whose shortest time is longer than the longest', () => {
    expect(() => load({ RINGLEADER_SUSPICION_MIN_MS: '6000' })).toThrow(
      'RINGLEADER_SUSPICION_MIN_MS: must not be above RINGLEADER_SUSPICION_MAX_MS',
    );
  });
});
