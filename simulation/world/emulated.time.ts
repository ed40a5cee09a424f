/** What time it is at WeChat. It stands still until it is turned. */
export class EmulatedTime {
  constructor(public nowMs: number) {}
}
