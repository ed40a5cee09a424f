/**
 * What time it is. Every instant that this module stores or compares comes from here, never from `Date.now()`
 * or the database's `now()`, so that one clock rules all instances and tests can turn it.
 */
export abstract class WechatClock {
  abstract now(): Date;
}
