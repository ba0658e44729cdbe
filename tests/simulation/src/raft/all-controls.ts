import { type Control, controls } from './controls.js';
import { dataControls } from './data/data-controls.js';
import { diskControls } from './disk-controls.js';
import { membershipControls } from './membership-controls.js';

export const allControls: readonly Control[] = [
  ...controls,
  ...membershipControls,
  ...dataControls,
  ...diskControls,
];
