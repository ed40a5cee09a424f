import base from './jest.config.mjs';

/**
 * The tests that drive a real browser. Same set-up as the others, but one file at a time:
 * browser, application and database share the cores.
 * @type {import('jest').Config}
 */
export default {
  ...base,
  testMatch: ['<rootDir>/test/browser/**/*.browser.ts'],
  maxWorkers: 1,
  testTimeout: 60_000,
};
