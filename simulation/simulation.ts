import { createHash } from 'node:crypto';
import { Agent } from 'undici';
import { DataSource } from 'typeorm';
import { SystemRandomness } from '../src/common/randomness.js';
import { Sealer, type SealingKey } from '../src/common/sealer.js';
import { createWechatEmulator, type WechatEmulator } from '../src/emulator/index.js';
import { KeyRotation } from '../src/grants/key-rotation.js';
import { wechatAuthEntities, wechatAuthMigrations } from '../src/index.js';
import { type Counts, noCounts } from './counts.js';
import { InstanceFailure, InstanceGone } from './instance/instance.process.js';
import { ConsentScreens } from './invariants/consent-screens.js';
import { DeadTokens } from './invariants/dead-tokens.js';
import { DoubleRefreshes } from './invariants/double-refreshes.js';
import { DueMarks } from './invariants/due-marks.js';
import { NeedlessRefreshes } from './invariants/needless-refreshes.js';
import { NothingLost } from './invariants/nothing-lost.js';
import { Secrets } from './invariants/secrets.js';
import { WrongMarks } from './invariants/wrong-marks.js';
import { History, type Violation } from './model/history.js';
import { Model } from './model/model.js';
import { DAY_MS, HOUR_MS, SKEW_MS, STEP_MS } from './model/times.js';
import type { Action, RotationStage, Trouble } from './plan/actions.js';
import { Dice } from './plan/dice.js';
import { Plan } from './plan/plan.js';
import { Fleet } from './world/fleet.js';
import { GrantTable } from './world/grant.table.js';
import { PhaseCollector } from './world/phase.collector.js';
import { type Network, Phone } from './world/phone.js';
import { Witness } from './world/witness.js';
import { type CallingProcess, type WechatCall, WireTap } from './world/wire.tap.js';

export interface SimulationOptions {
  users: number;
  days: number;
  seed: string;
  databaseUrl: string;
  /** Told once for each day that is over. */
  onDay: (day: number, counts: Counts) => void;
  onViolation: (violation: Violation) => void;
}

export interface SimulationResult extends Counts {
  violations: number;
}

const START_MS = Date.UTC(2026, 0, 1);
/** Nobody listens there: the phones' network leads to an instance. */
const PUBLIC_URL = 'http://localhost:3999';
const APP = { appId: 'wx0123456789abcdef', redirectDomains: ['localhost'] };
const MAX_PHONES = 2;

type Job = Extract<Action, { kind: 'job' }>;
type Kill = Extract<Trouble, { kind: 'kill' }>;

/** A month in a minute: real instances and a real database, on the emulator's clock. */
export class Simulation {
  private readonly counts = noCounts();
  private readonly collector = new PhaseCollector();
  private readonly secrets = new Secrets();
  private readonly history: History;
  private readonly witness: Witness;
  private readonly tap: WireTap;
  private readonly phones: readonly (readonly Phone[])[];
  private readonly fleet: Fleet;
  private readonly route: Dice;
  private readonly agent = new Agent({ connections: 16 });
  private nowMs = START_MS;
  private keys: readonly [SealingKey, ...SealingKey[]];
  private kill: (Kill & { answersLeft: number }) | undefined;
  /** Which instance comes back in which step. */
  private readonly returns = new Map<number, number>();
  private faultsUntilMs = -Infinity;
  private promotedAtMs = Infinity;

  private constructor(
    private readonly options: SimulationOptions,
    private readonly wechat: WechatEmulator,
    private readonly table: GrantTable,
    private readonly dataSource: DataSource,
  ) {
    const { seed, users, databaseUrl } = options;
    const secret = wechat.apps[0]?.appSecret ?? '';
    this.keys = [keyOf('k1', seed)];
    this.secrets.add('the app secret', secret);
    this.learnKey(this.keys[0]);
    this.history = new History(
      new Model(remembersConsents(seed)),
      [
        new DeadTokens(),
        new ConsentScreens(),
        new DueMarks(),
        new WrongMarks(),
        new DoubleRefreshes(),
        new NeedlessRefreshes(),
        new NothingLost(),
      ],
      options.onViolation,
    );
    this.witness = new Witness((what, token) => this.secrets.add(what, token));
    this.tap = new WireTap(
      wechat.url,
      (call) => this.noteCall(call),
      (process) => this.noteAnswer(process),
    );
    this.route = new Dice(`${seed}/route`);
    this.fleet = new Fleet(
      { databaseUrl, wechatUrl: wechat.url, publicUrl: PUBLIC_URL, appId: APP.appId, appSecret: secret },
      textOf(this.keys),
      variantOf(seed, 'clock') ? SKEW_MS : -SKEW_MS,
      () => this.nowMs,
      {
        onEvent: (instance, name, payload) => this.noteEvent(instance, name, payload),
        onOutput: (instance, text) => this.noteOutput(`the log of instance ${String(instance)}`, text),
      },
    );
    const network: Network = {
      publicUrl: PUBLIC_URL,
      wechatUrl: wechat.url,
      route: () => this.fleet.urlOf((count) => this.route.below(count)),
      onOutput: (text) => this.noteOutput('an answer to a browser', text),
      onCode: (code, openid) => {
        this.secrets.add('an authorization code', code);
        this.witness.learnCode(code, openid);
      },
    };
    this.phones = Array.from({ length: users }, (_, user) =>
      Array.from({ length: MAX_PHONES }, () => new Phone(this.openidOf(user), network, this.agent)),
    );
  }

  static async run(options: SimulationOptions): Promise<SimulationResult> {
    const dataSource = await new DataSource({
      type: 'postgres',
      url: options.databaseUrl,
      entities: wechatAuthEntities,
      migrations: wechatAuthMigrations,
    }).initialize();
    await dataSource.runMigrations();
    const table = await GrantTable.open(options.databaseUrl);
    let nowMs = START_MS;
    const wechat = await createWechatEmulator({
      apps: [{ ...APP, appSecret: createHash('md5').update(`secret of ${options.seed}`).digest('hex') }],
      users: options.users,
      seed: options.seed,
      now: () => new Date(nowMs),
      grantMemory: remembersConsents(options.seed),
    });
    const simulation = new Simulation(options, wechat, table, dataSource);
    try {
      await simulation.fleet.start();
      const plan = new Plan(options.users, options.days, options.seed);
      const steps = (options.days * DAY_MS) / STEP_MS;
      for (let step = 0; step < steps; step++) {
        nowMs = START_MS + step * STEP_MS;
        await simulation.step(plan, step, nowMs);
      }
      return { ...simulation.counts, violations: simulation.history.violations.length };
    } finally {
      simulation.tap.close();
      await simulation.fleet.stop();
      await simulation.agent.close();
      await wechat.close();
      await table.close();
      await dataSource.destroy();
    }
  }

  private async step(plan: Plan, step: number, nowMs: number): Promise<void> {
    const { actions, troubles, rotation, sweepers, housekeeper } = plan.step(step);
    this.nowMs = nowMs;
    await this.comeBack(step);
    if (rotation && rotation !== 're-seal') await this.rotate(rotation);
    // Pages are not asked for by the fleet, which turns the clocks of those it asks.
    const needsAll = actions.length > 0;
    if (needsAll) await this.fleet.askAll('tick');
    const endsSessions = actions.some(
      ({ kind, ...more }) => kind === 'sign-out' || ('job' in more && more.job === 'forget'),
    );
    await this.change(actions);
    await this.trouble(troubles, step);
    if (nowMs < this.faultsUntilMs || this.returns.size > 0) this.collector.calmSinceMs = nowMs + STEP_MS;
    await Promise.all([
      ...sweepers.map((number) => this.atInstance(() => this.fleet.ask(number, 'sweep'))),
      ...(housekeeper === undefined
        ? []
        : [this.atInstance(() => this.fleet.ask(housekeeper, 'housekeeping'))]),
      ...(rotation === 're-seal' ? [this.reseal()] : []),
      ...actions.map((action) => this.act(action)),
    ]);
    this.strike();
    if (endsSessions) await this.fleet.askAll('poll');
    // Whatever an instance has told by now has arrived.
    if (needsAll) await this.fleet.askAll('tick');
    this.history.add(this.collector.take(nowMs));
    if ((step + 1) % (HOUR_MS / STEP_MS) === 0) await this.readRows();
    if ((step + 1) % (DAY_MS / STEP_MS) === 0) {
      for (const text of await this.table.texts()) this.noteOutput('the database', text);
      this.options.onDay(Math.floor(step / (DAY_MS / STEP_MS)) + 1, this.counts);
    }
  }

  /** What users change at WeChat, where nobody else is told of it. */
  private async change(actions: readonly Action[]): Promise<void> {
    for (const action of actions) {
      if (action.kind !== 'change') continue;
      const openid = this.openidOf(action.user);
      if (action.change === 'password') {
        await this.wechat.user(openid).changePassword();
        this.counts.passwordChanges++;
        this.collector.add({ kind: 'act', openid, act: 'password-changed' });
      } else {
        await this.wechat.user(openid).withdrawConsent();
        this.counts.withdrawals++;
        this.collector.add({ kind: 'act', openid, act: 'consent-withdrawn' });
      }
    }
    this.history.add(this.collector.take(this.nowMs));
  }

  private async trouble(troubles: readonly Trouble[], step: number): Promise<void> {
    for (const trouble of troubles) {
      if (trouble.kind === 'kill') {
        // Two at once would be an outage of the application's.
        if (this.returns.size > 0 || this.kill) continue;
        this.kill = { ...trouble, answersLeft: trouble.afterAnswers };
        this.returns.set(trouble.instance, step + trouble.stepsAway);
        continue;
      }
      const { endpoints, fault, share, durationMs, name } = trouble;
      // Faults of one endpoint queue up, so that a second one would begin late and not end.
      if (this.nowMs < this.faultsUntilMs) continue;
      this.faultsUntilMs = this.nowMs + durationMs;
      for (const endpoint of endpoints) await this.wechat.failNext(endpoint, fault, { share, durationMs });
      this.counts[name === 'outage' ? 'outages' : name === 'quota' ? 'quotas' : 'flaws']++;
    }
  }

  private async act(action: Action): Promise<void> {
    switch (action.kind) {
      case 'visit':
        return this.visit(action);
      case 'sign-out':
        return this.signOut(action);
      case 'lose-cookies': {
        const openid = this.openidOf(action.user);
        this.phoneOf(action).forgetCookies();
        this.collector.add({ kind: 'act', openid, act: 'cookies-lost', phone: action.phone });
        return;
      }
      case 'job':
        return this.atInstance(() => this.work(action));
      case 'change':
        return;
    }
  }

  private async visit(action: Extract<Action, { kind: 'visit' }>): Promise<void> {
    const { scope, phone, manners } = action;
    const report = await this.phoneOf(action).visit(scope, manners);
    const { end, screens, openid: seenAs, sawWechat, last } = report;
    this.counts.visits++;
    if (screens.includes('consent')) {
      this.counts.consentScreens++;
      if (manners.refuses) this.counts.refusals++;
    }
    const openid = this.openidOf(action.user);
    const { refuses } = manners;
    this.collector.add({
      kind: 'visit',
      openid,
      phone,
      scope,
      end,
      screens,
      seenAs,
      sawWechat,
      last,
      refuses,
    });
  }

  private async signOut(action: Extract<Action, { kind: 'sign-out' }>): Promise<void> {
    const { phone } = action;
    const phoneOf = this.phoneOf(action);
    if (!phoneOf.hasSession) return;
    const isDone = await phoneOf.signOut();
    const openid = this.openidOf(action.user);
    this.collector.add({ kind: 'act', openid, act: 'signed-out', phone, isUncertain: !isDone });
  }

  private async work({ user, job, instance }: Job): Promise<void> {
    const openid = this.openidOf(user);
    const act = job === 'forget' ? 'forgotten' : 'consent-required';
    try {
      if (job === 'token') {
        const accessToken = await this.fleet.ask(instance, 'accessToken', openid);
        this.counts.tokensServed++;
        this.collector.add({ kind: 'served', openid, instance, accessToken });
      } else if (job === 'user-info') {
        await this.fleet.ask(instance, 'userInfo', openid);
      } else {
        await this.fleet.ask(instance, job === 'forget' ? 'forget' : 'requireConsent', openid);
        this.collector.add({ kind: 'act', openid, act });
      }
    } catch (error) {
      if (job === 'forget' || job === 'require-consent') {
        const isUncertain = error instanceof InstanceGone && this.collector.wasKilled(instance);
        if (isUncertain) this.collector.add({ kind: 'act', openid, act, isUncertain });
      }
      if (!(error instanceof InstanceFailure)) throw error;
      const { name, code, reason, message } = error.failure;
      this.noteOutput('an error', message);
      const text = `${name} (${code ?? ''}${reason === undefined ? '' : `, ${reason}`})`;
      this.collector.add({ kind: 'not-served', openid, instance, error: text });
    }
  }

  /** An instance that is away, or is killed over it, does nothing; whatever else fails is a fault of its own. */
  private async atInstance(work: () => Promise<unknown>): Promise<void> {
    try {
      await work();
    } catch (error) {
      if (!(error instanceof InstanceGone)) throw error;
    }
  }

  private async comeBack(step: number): Promise<void> {
    for (const [number, at] of this.returns) {
      if (at > step) continue;
      await this.fleet.comeBack(number);
      this.returns.delete(number);
    }
  }

  /** Where so few answers came that it has not been killed on the way. */
  private strike(): void {
    if (this.kill) this.killNow(this.kill.instance);
  }

  private killNow(instance: number): void {
    this.kill = undefined;
    this.collector.kill(instance);
    this.counts.kills++;
    this.fleet.kill(instance);
  }

  private async rotate(stage: Exclude<RotationStage, 're-seal'>): Promise<void> {
    const [former, next] = [keyOf('k1', this.options.seed), keyOf('k2', this.options.seed)];
    this.learnKey(next);
    const keys: Record<typeof stage, typeof this.keys> = {
      add: [former, next],
      promote: [next, former],
      retire: [next],
    };
    this.keys = keys[stage];
    this.fleet.keys = textOf(this.keys);
    for (const number of [...this.returns.keys()]) {
      await this.fleet.comeBack(number);
      this.returns.delete(number);
    }
    await this.fleet.roll();
    if (stage === 'promote') this.promotedAtMs = this.nowMs;
    if (stage !== 'retire') return;
    this.counts.rotations++;
    this.collector.add({ kind: 'key-retired', promotedAtMs: this.promotedAtMs });
  }

  /** `rotate-keys`, while everything goes on. */
  private async reseal(): Promise<void> {
    const { unopened } = await new KeyRotation(this.dataSource, this.keys, {
      batchSize: 50,
      dryRun: false,
    }).run();
    if (unopened.length === 0) return;
    const finding = {
      expected: 'texts that the keys open',
      seen: `${String(unopened.length)} that they do not`,
    };
    this.history.report('nothing lost', finding, this.nowMs);
  }

  private async readRows(): Promise<void> {
    const sealer = new Sealer(this.keys, new SystemRandomness());
    const rows = await this.table.read(sealer, (openid) => {
      const finding = {
        openid,
        expected: 'tokens that the present keys open',
        seen: 'some that they do not',
      };
      this.history.report('nothing lost', finding, this.nowMs);
    });
    this.collector.add({ kind: 'rows', rows });
    this.history.add(this.collector.take(this.nowMs));
  }

  private noteAnswer({ instance, pid }: CallingProcess): void {
    if (this.kill?.instance !== instance || !this.fleet.isServing(instance, pid)) return;
    if (this.kill.answersLeft-- <= 0) this.killNow(instance);
  }

  private noteCall(call: WechatCall): void {
    const { instance, pid } = call;
    // What a process had sent before it was killed may reach WeChat afterwards.
    const hasGone = !this.fleet.isServing(instance, pid) && !this.collector.wasKilled(instance);
    const fact = this.witness.factOf(hasGone ? { ...call, isDelivered: false } : call);
    if (!fact) return;
    if (fact.outcome === 'ok' && fact.endpoint === 'token') this.counts.signIns++;
    if (fact.outcome === 'ok' && fact.endpoint === 'refresh') this.counts.refreshes++;
    this.collector.add(fact);
  }

  private noteEvent(instance: number, name: string, payload: { openid?: string; reason?: string }): void {
    this.noteOutput('an event', JSON.stringify(payload));
    const { openid, reason } = payload;
    if (openid === undefined) return;
    this.collector.add({ kind: 'event', openid, instance, name, ...(reason !== undefined && { reason }) });
  }

  private noteOutput(where: string, text: string): void {
    for (const finding of this.secrets.check(where, text)) {
      this.history.report(this.secrets.name, finding, this.nowMs);
    }
  }

  private learnKey({ secret }: SealingKey): void {
    this.secrets.add('a sealing key', secret.toString('base64'));
  }

  private openidOf(user: number): string {
    const known = this.wechat.users[user];
    if (!known) throw new Error(`There is no user ${String(user)}.`);
    return known.openid;
  }

  private phoneOf({ user, phone }: { user: number; phone: number }): Phone {
    const known = this.phones[user]?.[phone];
    if (!known) throw new Error(`User ${String(user)} has no phone ${String(phone)}.`);
    return known;
  }
}

function keyOf(kid: string, seed: string): SealingKey {
  return { kid, secret: createHash('sha256').update(`${kid} of ${seed}`).digest() };
}

function textOf(keys: readonly SealingKey[]): string {
  return keys.map(({ kid, secret }) => `${kid}:${secret.toString('base64')}`).join(',');
}

/** WeChat's documents leave it open, so some seeds have the one and some the other. */
function remembersConsents(seed: string): boolean {
  return variantOf(seed, 'consents');
}

/** One of two ways, by the seed. */
function variantOf(seed: string, what: string): boolean {
  return new Dice(`${what}/${seed}`).chance(0.5);
}
