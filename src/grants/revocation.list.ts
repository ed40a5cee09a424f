import type { WechatSession } from '../common/session.js';
import { type Revocation, userSubject } from './revocation.repository.js';

/**
 * The revocations that this process knows of, for a look at every request. What is kept of each is little: there may be
 * one for every sign-out of a month.
 */
export class RevocationList {
  /** When each revoked session would have ended by itself, in seconds since 1970, by its id. */
  private readonly sessions = new Map<string, number>();
  private readonly users = new Map<string, Revocation>();

  get size(): number {
    return this.sessions.size + this.users.size;
  }

  add(revocation: Revocation): void {
    const { kind, subject, revokedAt, expiresAt } = revocation;
    if (kind === 'session') {
      this.sessions.set(subject, Math.ceil(expiresAt.getTime() / 1000));
      return;
    }
    const known = this.users.get(subject);
    // An older one may be read again after a newer one was added.
    if (!known || known.revokedAt < revokedAt) this.users.set(subject, revocation);
  }

  has(session: WechatSession): boolean {
    if (this.sessions.has(session.id)) return true;
    // Most of the time nobody has been forgotten, and nothing needs a digest.
    if (this.users.size === 0) return false;
    const ofUser = this.users.get(userSubject(session));
    return ofUser !== undefined && session.issuedAt <= ofUser.revokedAt;
  }

  /** Drops those whose sessions would have ended by themselves. */
  dropExpired(now: Date): void {
    const nowSeconds = now.getTime() / 1000;
    for (const [id, expiresAt] of this.sessions) if (expiresAt <= nowSeconds) this.sessions.delete(id);
    for (const [user, { expiresAt }] of this.users) if (expiresAt <= now) this.users.delete(user);
  }
}
