import { setTimeout as sleep } from 'node:timers/promises';
import type { Arrival, Journey } from './journey.js';
import { KeyChange } from './key.change.js';
import { type Aim, AIMS, takeAim } from './kill.aim.js';
import { Losses } from './losses.js';
import { Scene } from './scene.js';
import { SeededRandom } from './seeded.random.js';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const INSTANCES = 3;
/** Who has signed in before the first kill: there are tokens to refresh then. */
const FIRST_USERS = 20;
/** Sign-ins that are on their way at each kill: of users who are new, and of users who take another phone. */
const NEW_USERS = 2;
const KNOWN_USERS = 2;
/** Handlers and jobs that ask each instance for a token at each kill. */
const CALLS = 6;
/** From the start of one kill's load to the next one's: all tokens have ended then. */
const BETWEEN_KILLS_MS = 2 * HOUR_MS;
/** No lease is longer: of a sweep 2 minutes, of a sign-in 30 s. */
const LEASES_MS = 2 * MINUTE_MS + 5_000;
/** Every third kill meets a change of keys as well, and every second one of those is killed too. */
const KEY_CHANGE_EVERY = 3;

/** How somebody whose request died with its instance tries once more: the page anew, or the address that failed. */
interface Manner {
  how: 'reopen' | 'reload';
  /** Later is after the dead one's leases have ended. */
  when: 'at-once' | 'later';
}
const MANNERS: readonly Manner[] = [
  { how: 'reopen', when: 'at-once' },
  { how: 'reopen', when: 'later' },
  { how: 'reload', when: 'at-once' },
  { how: 'reload', when: 'later' },
];

export interface KillRunOptions {
  kills: number;
  seed: number;
  databaseUrl: string;
  /** Called after each kill, with what is counted up to then. */
  onKill: (number: number, aim: Aim, counts: KillCounts) => void;
}

export interface KillCounts {
  /** Pages that somebody has seen after a sign-in. */
  signIns: number;
  /** Requests of browsers that died with their instance. */
  interrupted: number;
  /** Those of them that were callbacks. */
  callbacks: number;
  /** Pairs that were lost with a callback, and replaced silently by the user's next page. */
  repaired: number;
  /** Refreshes that somebody was killed over: their leases had to run out. */
  leases: number;
  /** Tokens that handlers and jobs have got while instances were killed. */
  calls: number;
  /** Calls that were told to come back, and did. */
  repeatedCalls: number;
  /** Refreshes that WeChat was asked for. */
  refreshes: number;
  keyChanges: number;
}

export interface KillReport extends KillCounts {
  /** What was lost. */
  lost: string[];
}

/** Kills instances by `kill -9` while people sign in and tokens are refreshed, and looks for what that has lost. */
export class KillRun {
  private readonly random: SeededRandom;
  private readonly losses: Losses;
  private readonly strangers: string[];
  private readonly known: string[] = [];
  private readonly signedIn: Journey[] = [];
  private readonly lost: string[] = [];
  private readonly counts: KillCounts = {
    ...{ signIns: 0, interrupted: 0, callbacks: 0, repaired: 0, leases: 0 },
    ...{ calls: 0, repeatedCalls: 0, refreshes: 0, keyChanges: 0 },
  };

  private constructor(
    private readonly options: KillRunOptions,
    private readonly scene: Scene,
  ) {
    this.random = new SeededRandom(options.seed);
    this.losses = new Losses(scene.dataSource, scene.wechat);
    this.strangers = scene.wechat.users.map(({ openid }) => openid);
  }

  static async run(options: KillRunOptions): Promise<KillReport> {
    const { databaseUrl, kills, seed } = options;
    const scene = await Scene.open(databaseUrl, FIRST_USERS + kills * NEW_USERS, seed);
    try {
      return await new KillRun(options, scene).play();
    } finally {
      await scene.close();
    }
  }

  private async play(): Promise<KillReport> {
    const { kills, onKill } = this.options;
    const { fleet, wechat } = this.scene;
    await Promise.all(Array.from({ length: INSTANCES }, () => fleet.join(fleet.fork())));
    await this.signInFirst();
    for (let number = 0; number < kills; number++) {
      const aim = AIMS[number % AIMS.length] as Aim;
      await this.kill(number, aim);
      this.counts.refreshes = wechat.requests.filter(({ endpoint }) => endpoint === 'refresh').length;
      onKill(number + 1, aim, this.counts);
    }
    await fleet.turn(BETWEEN_KILLS_MS);
    await this.look(this.signedIn, []);
    return { ...this.counts, lost: this.lost };
  }

  private async signInFirst(): Promise<void> {
    const { scene } = this;
    const journeys = await scene.prepare(this.strangers.splice(0, FIRST_USERS));
    await Promise.all(journeys.map(async (journey) => this.arrive(journey, await journey.go())));
  }

  private async kill(number: number, aim: Aim): Promise<void> {
    const { scene, random } = this;
    const { fleet, balancer } = scene;
    await fleet.turn(BETWEEN_KILLS_MS);
    const newUsers = this.strangers.splice(0, NEW_USERS);
    const knownUsers = random.some(this.known, KNOWN_USERS);
    const journeys = await scene.prepare([...newUsers, ...knownUsers]);
    const people = journeys.map((journey) => ({ journey, manner: random.oneOf(MANNERS) }));
    const changeKilledAfterMs = random.fraction() * 1_500;
    const { victim, delayMs } = takeAim(aim, random, fleet, balancer);
    const doomed = aim === 'start' ? fleet.fork() : undefined;

    const rounds = people.map(({ journey, manner }) => ({ journey, manner, first: journey.go() }));
    const callers = fleet.serving.map((member) => ({
      member,
      calls: random.some(this.known, CALLS).map((openid) => ({
        openid,
        token: member.process.ask<string>('getAccessToken', openid).catch((error: unknown) => error),
      })),
    }));
    const change = this.changeKeys(number, changeKilledAfterMs);

    // A callback may not come any more; then it is anybody's turn.
    const target = await Promise.race([
      victim,
      Promise.all(rounds.map(({ first }) => first)).then(() => fleet.serving[0]),
    ]);
    await sleep(delayMs);
    const killed = doomed ?? target?.process;
    if (!killed) throw new Error('There is nobody to kill.');
    await fleet.kill(killed);
    const leased = await this.leases();
    const joining = doomed ? Promise.resolve() : fleet.join(fleet.fork());

    const atOnce = rounds.map(({ journey, manner, first }) => ({
      ...{ journey, manner },
      arrival: manner.when === 'at-once' ? this.comeBack(journey, first, manner) : first,
    }));
    const cutOff: Journey[] = [];
    for (const { journey, first } of rounds) if (this.noteCallback(await first)) cutOff.push(journey);
    // Who has reloaded waits for the dead one, whose lease ends only when the clock is turned.
    await Promise.all(atOnce.filter(({ manner }) => manner.how === 'reopen').map(({ arrival }) => arrival));
    // Those who live have answered long ago: what is still leased is the dead one's.
    this.counts.leases += (await this.leases()).filter((lease) => leased.includes(lease)).length;
    await fleet.turn(LEASES_MS);
    await Promise.all(
      atOnce.map(async ({ journey, manner, arrival }) =>
        this.arrive(
          journey,
          await (manner.when === 'later' ? this.comeBack(journey, arrival, manner) : arrival),
        ),
      ),
    );
    const signingIn = new Set(journeys.map(({ openid }) => openid));
    for (const { member, calls } of callers) {
      if (member.process === killed) continue;
      for (const { openid, token } of calls) {
        this.judgeCall(openid, await token, signingIn);
      }
    }
    await change;
    await joining;
    await this.look(journeys, cutOff);
  }

  /** One more round, for whom the kill has interrupted. */
  private async comeBack(journey: Journey, round: Promise<Arrival>, { how }: Manner): Promise<Arrival> {
    const arrival = await round;
    if (arrival.kind !== 'interrupted') return arrival;
    return journey.go(how === 'reload' ? arrival.url : undefined);
  }

  /** @returns whether a callback has died with its instance. */
  private noteCallback(arrival: Arrival): boolean {
    if (arrival.kind !== 'interrupted') return false;
    this.counts.interrupted += 1;
    const isCallback = arrival.url.includes('/wechat/callback');
    if (isCallback) this.counts.callbacks += 1;
    return isCallback;
  }

  private arrive(journey: Journey, arrival: Arrival): void {
    if (arrival.kind !== 'there' || arrival.user.openid !== journey.openid) {
      this.lost.push(`${journey.openid} does not get to the page: ${JSON.stringify(arrival)}`);
      return;
    }
    this.counts.signIns += 1;
    this.signedIn.push(journey);
    if (!this.known.includes(journey.openid)) this.known.push(journey.openid);
  }

  private judgeCall(openid: string, outcome: unknown, signingIn: ReadonlySet<string>): void {
    const code = outcome instanceof Error ? (outcome as Error & { code?: string }).code : undefined;
    if (typeof outcome === 'string') this.counts.calls += 1;
    // Whoever has waited for the dead one as long as is promised; the look at all tokens is the second try.
    else if (code === 'refresh_timeout') this.counts.repeatedCalls += 1;
    // The pair is just being replaced by a sign-in.
    else if (!(code === 'consent_required' && signingIn.has(openid))) {
      this.lost.push(`a call for ${openid} failed: ${String(outcome)}`);
    }
  }

  private async changeKeys(number: number, killAfterMs: number): Promise<void> {
    if (number % KEY_CHANGE_EVERY !== 0) return;
    const count = number / KEY_CHANGE_EVERY;
    this.counts.keyChanges += 1;
    const change = KeyChange.start(this.scene.databaseUrl, count);
    if (count % 2 === 0) return change.end();
    await sleep(killAfterMs);
    await change.kill();
  }

  /** @returns the leases of refreshes that somebody is at, or has died over. */
  private async leases(): Promise<string[]> {
    const { dataSource, fleet } = this.scene;
    const rows = await dataSource.query<{ lease: string }[]>(
      'SELECT refresh_lease_id AS lease FROM wechat_grant WHERE refresh_lease_expires_at > $1',
      [fleet.clock.now()],
    );
    return rows.map(({ lease }) => lease);
  }

  private async look(journeys: readonly Journey[], cutOff: readonly Journey[]): Promise<void> {
    const { losses } = this;
    const { fleet } = this.scene;
    const sweeps = await losses.ofSweeps(() => fleet.clock.now());
    const signIns = await losses.ofSignIns(journeys);
    const tokens = await losses.ofTokens(fleet.serving, cutOff);
    this.counts.repaired += tokens.repaired;
    const grants = await losses.ofGrants(fleet.clock.now());
    this.lost.push(...sweeps, ...signIns, ...tokens.lost, ...grants, ...losses.ofCodes());
  }
}
