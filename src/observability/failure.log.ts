import type { Logger } from '@nestjs/common';

/** One line when reading begins to fail and one when it goes again, however often it is tried between. */
export class FailureLog {
  private isFailing = false;

  constructor(
    private readonly logger: Logger,
    private readonly lines: { readonly failed: string; readonly again: string },
  ) {}

  failed(error: unknown): void {
    if (!this.isFailing) {
      this.logger.warn(`${this.lines.failed}: ${error instanceof Error ? error.message : String(error)}`);
    }
    this.isFailing = true;
  }

  succeeded(): void {
    if (this.isFailing) this.logger.log(this.lines.again);
    this.isFailing = false;
  }
}
