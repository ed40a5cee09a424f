import { setImmediate } from 'node:timers/promises';
import type { LoggerService } from '@nestjs/common';

/** What the server's operator gets to read. */
export class LogBook implements LoggerService {
  errors: string[] = [];

  error(message: unknown): void {
    this.errors.push(String(message));
  }

  log(): void {}
  warn(): void {}

  async untilError(text: string): Promise<void> {
    while (!this.errors.some((error) => error.includes(text))) await setImmediate();
  }
}
