import { createHash } from 'node:crypto';
import { DataSource } from 'typeorm';
import { Agent } from 'undici';
import { createWechatEmulator, type WechatEmulator } from '../src/emulator/index.js';
import { wechatAuthEntities, wechatAuthMigrations } from '../src/index.js';
import { type Counts, noCounts } from './counts.js';
import { InstanceGone } from './instance/instance.process.js';
import { allInvariants } from './invariants/index.js';
import type { Violation } from './model/history.js';
import { Model } from './model/model.js';
import { DAY_MS, HOUR_MS, SKEW_MS, STEP_MS } from './model/times.js';
import type { Action, RotationStage } from './plan/actions.js';
import { Dice } from './plan/dice.js';
import { Plan } from './plan/plan.js';
import { EmulatedTime } from './world/emulated.time.js';
import { Fleet } from './world/fleet.js';
import { GrantTable } from './world/grant.table.js';
import { KeyChange } from './world/key.change.js';
import { Observer } from './world/observer.js';
import { People } from './world/people.js';
import { Troubles } from './world/troubles.js';
import { WireTap } from './world/wire.tap.js';

export interface SimulationOptions {
  users: number;
  days: number;
  seed: string;
  /** An empty database. */
  databaseUrl: string;
  /** Told once for each day that is over. */
  onDay: (day: number, counts: Counts) => void;
  onViolation: (violation: Violation) => void;
}

export interface SimulationResult extends Counts {
  violations: number;
}

const START_MS = Date.UTC(2026, 0, 1);
const STEPS_PER_HOUR = HOUR_MS / STEP_MS;
const STEPS_PER_DAY = DAY_MS / STEP_MS;
/** Nobody listens there: the phones' network leads to an instance. */
const PUBLIC_URL = 'http://localhost:3999';
const APP = { appId: 'wx0123456789abcdef', redirectDomains: ['localhost'] };

/** A month in a minute: real instances and a real database, on the emulator's clock. */
export class Simulation {
  private readonly counts = noCounts();
  private readonly keys: KeyChange;
  private readonly observer: Observer;
  private readonly fleet: Fleet;
  private readonly troubles: Troubles;
  private readonly people: People;
  private readonly tap: WireTap;
  private readonly agent = new Agent({ connections: 16 });
  private promotedAtMs = Infinity;

  private constructor(
    private readonly options: SimulationOptions,
    private readonly time: EmulatedTime,
    private readonly wechat: WechatEmulator,
    private readonly table: GrantTable,
    private readonly dataSource: DataSource,
  ) {
    const { seed, databaseUrl, onViolation } = options;
    const { counts } = this;
    const appSecret = wechat.apps[0]?.appSecret ?? '';
    this.keys = new KeyChange(seed);
    const model = new Model(remembersConsents(seed));
    const observer = new Observer(time, counts, model, allInvariants(), onViolation);
    this.observer = observer;
    observer.learnSecret('the app secret', appSecret);
    for (const key of this.keys.secrets) observer.learnSecret('a sealing key', key);
    const fleet = new Fleet(
      { databaseUrl, wechatUrl: wechat.url, publicUrl: PUBLIC_URL, appId: APP.appId, appSecret },
      this.keys,
      variantOf(seed, 'clock') ? SKEW_MS : -SKEW_MS,
      time,
      {
        onEvent: (instance, name, payload) => observer.noteEvent(instance, name, payload),
        onOutput: (instance, text) => observer.noteOutput(`the log of instance ${String(instance)}`, text),
      },
    );
    this.fleet = fleet;
    this.troubles = new Troubles(time, counts, wechat, fleet, observer.collector);
    this.tap = new WireTap(
      wechat.url,
      (call) => {
        const { instance, pid } = call;
        // What a process had sent before it was killed may reach WeChat afterwards.
        observer.noteCall(call, !fleet.isServing(instance, pid) && !observer.collector.wasKilled(instance));
      },
      (caller) => this.troubles.noteAnswer(caller),
    );
    const route = new Dice(`${seed}/route`);
    const network = {
      publicUrl: PUBLIC_URL,
      wechatUrl: wechat.url,
      route: () => fleet.urlOf((count) => route.below(count)),
      onOutput: (text: string) => observer.noteOutput('an answer to a browser', text),
      onCode: (code: string, openid: string) => observer.noteCode(code, openid),
    };
    this.people = new People(wechat, fleet, observer, counts, network, this.agent);
  }

  /** Runs from the first day to the last. */
  static async run(options: SimulationOptions): Promise<SimulationResult> {
    const { users, days, seed, databaseUrl } = options;
    const dataSource = await new DataSource({
      type: 'postgres',
      url: databaseUrl,
      entities: wechatAuthEntities,
      migrations: wechatAuthMigrations,
    }).initialize();
    await dataSource.runMigrations();
    const table = await GrantTable.open(databaseUrl);
    const time = new EmulatedTime(START_MS);
    const wechat = await createWechatEmulator({
      apps: [{ ...APP, appSecret: createHash('md5').update(`secret of ${seed}`).digest('hex') }],
      users,
      seed,
      now: () => new Date(time.nowMs),
      grantMemory: remembersConsents(seed),
    });
    const simulation = new Simulation(options, time, wechat, table, dataSource);
    try {
      await simulation.fleet.start();
      const plan = new Plan(users, days, seed);
      for (let step = 0; step < days * STEPS_PER_DAY; step++) {
        time.nowMs = START_MS + step * STEP_MS;
        await simulation.step(plan, step);
      }
      return { ...simulation.counts, violations: simulation.observer.violations };
    } finally {
      await simulation.close();
    }
  }

  private async step(plan: Plan, step: number): Promise<void> {
    const { actions, troubles, rotation, sweepers, housekeeper } = plan.step(step);
    await this.troubles.bringBack(step);
    if (rotation && rotation !== 're-seal') await this.changeKeys(rotation);
    await this.people.change(actions);
    this.observer.endPhase();
    await this.troubles.begin(troubles, step);
    // An instance that is asked for a page only has to be told what time it is.
    if (actions.length > 0) await this.fleet.askAll('tick');
    await Promise.all([
      ...sweepers.map((number) => unlessGone(this.fleet.ask(number, 'sweep'))),
      ...(housekeeper === undefined ? [] : [unlessGone(this.fleet.ask(housekeeper, 'housekeeping'))]),
      ...(rotation === 're-seal' ? [this.reseal()] : []),
      ...actions.map((action) => this.people.act(action)),
    ]);
    this.troubles.strike();
    if (actions.some(endsSessions)) await this.fleet.askAll('poll');
    // Whatever an instance has told by now has arrived then.
    if (actions.length > 0) await this.fleet.askAll('tick');
    this.observer.endPhase();
    if ((step + 1) % STEPS_PER_HOUR === 0) await this.readRows();
    if ((step + 1) % STEPS_PER_DAY === 0) await this.endDay((step + 1) / STEPS_PER_DAY);
  }

  private async changeKeys(stage: Exclude<RotationStage, 're-seal'>): Promise<void> {
    this.keys.turn(stage);
    // One that had died before the change has come up with the former keys; it is replaced with the others.
    await this.troubles.bringBack();
    await this.fleet.roll();
    if (stage === 'promote') this.promotedAtMs = this.time.nowMs;
    if (stage !== 'retire') return;
    this.counts.rotations++;
    this.observer.note({ kind: 'key-retired', promotedAtMs: this.promotedAtMs });
  }

  private async reseal(): Promise<void> {
    const unopened = await this.keys.reseal(this.dataSource);
    if (unopened === 0) return;
    const seen = `${String(unopened)} kinds of texts that they do not`;
    this.observer.report('nothing lost', { expected: 'texts that the present keys open', seen });
  }

  private async readRows(): Promise<void> {
    const rows = await this.table.read(this.keys.sealer, (openid) => {
      const finding = { openid, expected: 'texts that the present keys open', seen: 'some that they do not' };
      this.observer.report('nothing lost', finding);
    });
    this.observer.note({ kind: 'rows', rows });
    this.observer.endPhase();
  }

  private async endDay(day: number): Promise<void> {
    for (const text of await this.table.texts()) this.observer.noteOutput('the database', text);
    this.options.onDay(day, this.counts);
  }

  private async close(): Promise<void> {
    this.tap.close();
    await this.fleet.stop();
    await this.agent.close();
    await this.wechat.close();
    await this.table.close();
    await this.dataSource.destroy();
  }
}

/** Of the other instances that have to know it at once; they would within 30 seconds. */
function endsSessions(action: Action): boolean {
  return action.kind === 'sign-out' || (action.kind === 'job' && action.job === 'forget');
}

/** An instance that is away, or is killed over it, does nothing; whatever else fails is a fault of the simulation's. */
async function unlessGone(work: Promise<unknown>): Promise<void> {
  try {
    await work;
  } catch (error) {
    if (!(error instanceof InstanceGone)) throw error;
  }
}

/** WeChat's documents leave it open, so some seeds have the one and some the other. */
function remembersConsents(seed: string): boolean {
  return variantOf(seed, 'consents');
}

/** One of two ways, by the seed. */
function variantOf(seed: string, what: string): boolean {
  return new Dice(`${what}/${seed}`).chance(0.5);
}
