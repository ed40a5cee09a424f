import { afterAll } from '@jest/globals';
import { createTestDatabase } from '../support/database.js';
import { TEST_KEY } from '../support/test-app.js';

// The environment that docs/testing.md asks for. It is there before any module of the host's is loaded.
const database = await createTestDatabase();
Object.assign(process.env, {
  DATABASE_URL: database.url,
  WECHAT_APP_ID: 'wx0123456789abcdef',
  WECHAT_APP_SECRET: 'any',
  WECHAT_PUBLIC_URL: 'http://localhost:3000',
  WECHAT_AUTH_KEYS: TEST_KEY,
  WECHAT_OPEN_BASE_URL: 'http://127.0.0.1:9',
  WECHAT_API_BASE_URL: 'http://127.0.0.1:9',
});
afterAll(() => database.drop());
