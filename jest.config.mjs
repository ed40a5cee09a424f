import { availableParallelism } from 'node:os';

/** @type {import('jest').Config} */
export default {
  testEnvironment: 'node',
  roots: ['<rootDir>/test'],
  testMatch: ['**/*.spec.ts'],
  extensionsToTreatAsEsm: ['.ts'],
  // The sources import './x.js', as Node will find it after the build; under Jest the file is x.ts.
  moduleNameMapper: {
    '^(\\.{1,2}/.*)\\.js$': '$1',
    // Examples name the package; here it is the sources.
    '^nestjs-wechat-auth$': '<rootDir>/src/index.ts',
    '^nestjs-wechat-auth/(emulator|testing)$': '<rootDir>/src/$1/index.ts',
  },
  transform: { '^.+\\.ts$': ['@swc/jest'] },
  reporters: ['default', '<rootDir>/test/support/fidelity.reporter.mjs'],
  globalSetup: '<rootDir>/test/support/global-setup.mjs',
  globalTeardown: '<rootDir>/test/support/global-teardown.mjs',
  // Jest's own default is one worker less than there are cores, which on two cores means no second worker.
  maxWorkers: Math.max(2, availableParallelism() - 1),
  // ES modules of finished files stay in the heap of a worker: begin a new one before that hurts.
  workerIdleMemoryLimit: '1GB',
  // Starting Nest and a database on a busy machine can pass the default of 5 s.
  testTimeout: 20_000,
  // 'babel' would count the helpers that swc writes for decorators.
  coverageProvider: 'v8',
  coverageDirectory: 'coverage',
  collectCoverageFrom: ['src/**/*.ts', 'migrations/**/*.ts'],
};
