/** What one process asks of another, and what it gets. */
export interface Order {
  id: number;
  command: string;
  args: unknown[];
}

export interface Answer {
  id: number;
  result?: unknown;
  error?: { name: string; code?: string; message: string };
}

/** By name: what a process does when it is told to. */
export type Commands = Readonly<Record<string, (...args: never[]) => unknown>>;

/** Does what the parent asks for, and tells what came of it; ends when the parent is gone, however that ended. */
export function takeOrders(commands: Commands): void {
  process.on('message', (order: Order) => {
    void carryOut(commands, order).then((answer) => process.send?.(answer));
  });
  process.on('disconnect', () => process.exit());
}

async function carryOut(commands: Commands, { id, command, args }: Order): Promise<Answer> {
  try {
    return { id, result: await commands[command]?.(...(args as never[])) };
  } catch (error) {
    const { name, code, message } = error as Error & { code?: string };
    return { id, error: { name, message, ...(code !== undefined && { code }) } };
  }
}
