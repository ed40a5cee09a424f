import base from './jest.config.mjs';

/**
 * The tests of the package as npm would publish it: packed, and installed into applications. Same set-up as the
 * others, but one file at a time, and with the time that installing takes.
 * @type {import('jest').Config}
 */
export default {
  ...base,
  testMatch: ['<rootDir>/test/package/**/*.package.ts'],
  globalSetup: '<rootDir>/test/package/global-setup.mjs',
  globalTeardown: '<rootDir>/test/package/global-teardown.mjs',
  maxWorkers: 1,
  testTimeout: 600_000,
};
