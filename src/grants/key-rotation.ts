import type { DataSource } from 'typeorm';
import { openidForLogs } from '../common/digest.js';
import { SystemRandomness } from '../common/randomness.js';
import { SealError, Sealer, sealHeader, type SealingKey } from '../common/sealer.js';
import type { GrantKey } from './grant.reader.js';
import { grantAudience } from './grant.repository.js';
import {
  nameOf,
  type Replacement,
  type RowPurpose,
  type RowReplacement,
  type SealedRow,
  SealedRows,
} from './sealed-rows.js';
import { kidOf } from './sealing-header.js';

const PURPOSES: readonly RowPurpose[] = ['tokens', 'userinfo'];
/** A row that changes in each of them is one that somebody goes on sealing with another key. */
const MAX_PASSES = 5;
/** Users that are named where texts do not open. */
const MAX_NAMED = 5;
const BEFORE_ALL: GrantKey = { appId: '', openid: '' };

export type SealedCounts = Record<RowPurpose, number>;

/** Sealed texts that do not open, and why. */
export interface Unopened {
  readonly purpose: RowPurpose;
  readonly code: SealError['code'];
  /** The key that they name, and what they begin with, where that can be read. */
  readonly kid: string | undefined;
  readonly header: string | undefined;
  count: number;
  /** The first of the users, as logs name them. */
  readonly users: string[];
}

export interface KeyRotationResult {
  /** How many texts were sealed anew; in a dry run, would be. */
  readonly resealed: SealedCounts;
  /** How many texts name each key as theirs, as it was at the last look. */
  readonly counts: ReadonlyMap<string, SealedCounts>;
  readonly unopened: readonly Unopened[];
}

export interface KeyRotationOptions {
  readonly batchSize: number;
  /** Only count and open. */
  readonly dryRun: boolean;
  /** Called after each batch with the rows looked at in this pass, and the texts sealed anew in all. */
  readonly onProgress?: (progress: { pass: number; rows: number; resealed: number }) => void;
}

/**
 * Seals anew with the first key what the others have sealed, while the service reads, refreshes and signs people in.
 *
 * Nothing is remembered and nothing is locked from one batch to the next, so it may be ended at any moment, started
 * again, and run twice at once. What others write meanwhile stays: it goes from the first row to the last, again and
 * again, until it finds nothing to do.
 */
export class KeyRotation {
  private readonly rows: SealedRows;
  private readonly sealer: Sealer;
  private readonly first: { kid: string; header: string };
  private readonly resealed: SealedCounts = { tokens: 0, userinfo: 0 };

  /** @param keys those of `WECHAT_AUTH_KEYS`. */
  constructor(
    dataSource: DataSource,
    keys: readonly [SealingKey, ...SealingKey[]],
    private readonly options: KeyRotationOptions,
  ) {
    const [{ kid }] = keys;
    this.rows = new SealedRows(dataSource);
    this.sealer = new Sealer(keys, new SystemRandomness());
    this.first = { kid, header: sealHeader(kid) };
  }

  async run(): Promise<KeyRotationResult> {
    for (let pass = 1; ; pass++) {
      const { counts, unopened, isQuiet } = await this.pass(pass);
      if (isQuiet || this.options.dryRun || pass === MAX_PASSES) {
        return { resealed: this.resealed, counts, unopened: [...unopened.values()] };
      }
    }
  }

  /** From the first row to the last. */
  private async pass(pass: number): Promise<Pass> {
    const { batchSize, onProgress } = this.options;
    const result = new Pass();
    let rows = 0;
    for (let last: GrantKey | undefined = BEFORE_ALL; last;) {
      const page: SealedRow[] = await this.rows.page(last, batchSize, this.first.header);
      await this.batch(page, result);
      rows += page.length;
      onProgress?.({ pass, rows, resealed: this.resealed.tokens + this.resealed.userinfo });
      last = page.length < batchSize ? undefined : page.at(-1);
    }
    return result;
  }

  private async batch(page: readonly SealedRow[], result: Pass): Promise<void> {
    const replacements = page.flatMap((row) => this.replacementsFor(row, result));
    if (replacements.length === 0) return;
    result.isQuiet = false;
    const written = this.options.dryRun
      ? []
      : await this.rows.replace(replacements.map(({ replacement }) => replacement));
    const byName = new Map(written.map((row) => [nameOf(row), row]));
    for (const { replacement, kids } of replacements) {
      for (const purpose of PURPOSES.filter((one) => replacement[one])) {
        const isWritten = byName.get(nameOf(replacement))?.[purpose] ?? false;
        // One that was not written has changed since it was read; the next pass finds out how.
        result.count(isWritten ? this.first.kid : kids[purpose], purpose);
        if (isWritten || this.options.dryRun) this.resealed[purpose]++;
      }
    }
  }

  /** Counts what stays as it is. @returns what does not, if there is any. */
  private replacementsFor(row: SealedRow, result: Pass): PlannedReplacement[] {
    const replacement: RowReplacement & Partial<Record<RowPurpose, Replacement>> = {
      appId: row.appId,
      openid: row.openid,
    };
    const kids: Partial<Record<RowPurpose, string | undefined>> = {};
    for (const purpose of PURPOSES) {
      const header = row.headers[purpose];
      if (header === null) continue;
      const kid = kidOf(header);
      const read = row.texts[purpose];
      const sealed =
        read === null || kid === this.first.kid ? undefined : this.sealAnew(row, purpose, result);
      if (read !== null && sealed !== undefined) {
        Object.assign(replacement, { [purpose]: { read, sealed } });
        kids[purpose] = kid;
      } else {
        result.count(kid, purpose);
      }
    }
    return PURPOSES.some((purpose) => replacement[purpose]) ? [{ replacement, kids }] : [];
  }

  private sealAnew(row: SealedRow, purpose: RowPurpose, result: Pass): string | undefined {
    const audience = grantAudience(row);
    try {
      return this.sealer.seal(
        purpose,
        audience,
        this.sealer.open(purpose, audience, row.texts[purpose] ?? ''),
      );
    } catch (error) {
      if (!(error instanceof SealError)) throw error;
      result.noteUnopened(row, purpose, error.code);
      return undefined;
    }
  }
}

interface PlannedReplacement {
  readonly replacement: RowReplacement;
  /** By which keys the texts were sealed that are to be replaced. */
  readonly kids: Partial<Record<RowPurpose, string | undefined>>;
}

/** What one pass over all rows has found. */
class Pass {
  readonly counts = new Map<string, SealedCounts>();
  readonly unopened = new Map<string, Unopened>();
  /** Whether there was nothing to do. */
  isQuiet = true;

  count(kid: string | undefined, purpose: RowPurpose): void {
    if (kid === undefined) return;
    const counts = this.counts.get(kid) ?? { tokens: 0, userinfo: 0 };
    counts[purpose]++;
    this.counts.set(kid, counts);
  }

  noteUnopened(row: SealedRow, purpose: RowPurpose, code: SealError['code']): void {
    const header = row.headers[purpose] ?? '';
    const kid = kidOf(header);
    const name = kid === undefined ? purpose : `${purpose} ${header}`;
    const unopened = this.unopened.get(name) ?? {
      purpose,
      // A header that names no key at all is no setting of anybody's.
      ...(kid === undefined ? { code: 'not_authentic', kid, header: undefined } : { code, kid, header }),
      count: 0,
      users: [],
    };
    unopened.count++;
    if (unopened.users.length < MAX_NAMED) unopened.users.push(openidForLogs(row.openid));
    this.unopened.set(name, unopened);
  }
}
