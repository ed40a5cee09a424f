import { advanceClock } from './turnable.clock.mjs';

/** Does what the test asks for, and tells what the client gave back or how it failed. */
export function takeCommands(commands) {
  const all = { ...commands, advanceClock };
  process.on('message', async ({ id, command, args }) => {
    try {
      process.send({ id, result: await all[command](...args) });
    } catch (error) {
      const { name, code, message } = error;
      process.send({ id, error: { name, code, message } });
    }
  });
  // The test is gone, however it ended.
  process.on('disconnect', () => process.exit());
}
