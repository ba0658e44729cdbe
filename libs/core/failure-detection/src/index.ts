export { FailureDetector, type MemberAssessment } from './failure-detector.js';
export type { Assessment, Beat, MemberState } from './member-monitor.js';
export { phi, type IntervalStatistics } from './phi.js';
export { DETECTOR_DEFAULTS, type DetectorSettings } from './settings.js';
