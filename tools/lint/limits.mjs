/** Sizes at which code still fits in a reader's head. Tables and fixtures of tests may be longer. */
export const limits = {
  'max-lines': ['error', { max: 400, skipBlankLines: true, skipComments: true }],
  'max-lines-per-function': ['error', { max: 70, skipBlankLines: true, skipComments: true, IIFEs: true }],
  'max-params': 'off',
  '@typescript-eslint/max-params': ['error', { max: 4 }],
  // A switch counts once: a table of cases is not hard to read.
  complexity: ['error', { max: 11, variant: 'modified' }],
  'max-depth': ['error', { max: 4 }],
};

/** In a test, `describe` is a function as long as its file; files keep a limit. */
export const testLimits = {
  'max-lines': ['error', { max: 600, skipBlankLines: true, skipComments: true }],
  'max-lines-per-function': 'off',
};
