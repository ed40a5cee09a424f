import 'reflect-metadata';
import { once } from 'node:events';
import type {
  CommandName,
  Failure,
  InstanceCommands,
  InstanceSettings,
  Question,
  Reply,
} from './messages.js';
import { startHost } from './host.application.js';

type Asked = (...args: readonly unknown[]) => unknown;

/** In a process of its own: one instance of an application, which does what it is asked. */
async function serve(): Promise<void> {
  process.on('disconnect', () => process.exit());
  const [settings] = (await once(process, 'message')) as [InstanceSettings];
  const { url, commands, turnClock } = await startHost(settings, (name, payload) =>
    reply({ kind: 'event', name, payload }),
  );
  process.on('message', (question: Question) => {
    turnClock(question.nowMs);
    void answer(commands, question);
  });
  reply({ kind: 'ready', url });
}

async function answer(
  commands: { [Name in CommandName]: (...args: Parameters<InstanceCommands[Name]>) => unknown },
  { id, command, args }: Question,
): Promise<void> {
  try {
    reply({ kind: 'answer', id, result: await (commands[command] as Asked)(...args) });
  } catch (error) {
    reply({ kind: 'answer', id, failure: failureOf(error) });
  }
}

function failureOf(error: unknown): Failure {
  const { code, reason } = error as { code?: unknown; reason?: unknown };
  return {
    name: error instanceof Error ? error.constructor.name : typeof error,
    code: typeof code === 'string' ? code : undefined,
    reason: typeof reason === 'string' ? reason : undefined,
    message: error instanceof Error ? error.message : String(error),
  };
}

function reply(message: Reply): void {
  process.send?.(message);
}

void serve();
