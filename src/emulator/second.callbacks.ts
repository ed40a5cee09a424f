import type { ServerResponse } from 'node:http';

/** Pages that go to a callback a second time as soon as the code of the first one is exchanged. */
export class SecondCallbacks {
  private readonly waiting = new Map<string, () => void>();

  /** Calls `goOn` when the exchange of this code begins, unless the page is gone by then. */
  wait(code: string, response: ServerResponse, goOn: () => void): void {
    this.waiting.set(code, goOn);
    response.once('close', () => this.waiting.delete(code));
  }

  exchangeBegins(code: string): void {
    this.waiting.get(code)?.();
  }
}
