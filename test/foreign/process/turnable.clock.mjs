// Clients judge by the clock of their own process whether a token has expired; so it has to be turned with WeChat's.
const MachineDate = Date;
let offsetMs = 0;

globalThis.Date = class extends MachineDate {
  constructor(...args) {
    if (args.length === 0) super(MachineDate.now() + offsetMs);
    else super(...args);
  }

  static now() {
    return MachineDate.now() + offsetMs;
  }
};

export function advanceClock(ms) {
  offsetMs += ms;
}
