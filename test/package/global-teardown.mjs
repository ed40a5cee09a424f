import fs from 'node:fs';
import stopDatabase from '../support/global-teardown.mjs';

export default async function teardown() {
  fs.rmSync(globalThis.__packedFolder, { recursive: true, force: true });
  await stopDatabase();
}
