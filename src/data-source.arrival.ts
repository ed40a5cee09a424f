import { setImmediate } from 'node:timers/promises';
import type { FactoryProvider, InjectionToken } from '@nestjs/common';
import type { ModulesContainer } from '@nestjs/core';
import { getDataSourceToken } from '@nestjs/typeorm';
import { DataSource } from 'typeorm';
import type { WechatConfigurationProblem } from './common/errors.js';
import { nearestName } from './configuration/option-names.check.js';
import { kindOf } from './configuration/settings.reader.js';

/** As long as TypeOrmModule waits before it tries again to connect, in milliseconds. */
const PATIENCE_MS = 3_000;
/** How @nestjs/typeorm names the provider of a data source that has a name. */
const TOKEN_SUFFIX = 'DataSource';

/** The host's data source as soon as it is connected; undefined if the host has none of that name. */
type Arrival = DataSource | undefined;

/**
 * Where the host's data source arrives. Nest lets providers only wait for it, and a database that is down is waited for
 * for half a minute, by default: too long for a wrong setting that is known at once.
 */
export class DataSourceArrival {
  readonly settled: Promise<Arrival>;
  private settle!: (arrival: Arrival) => void;

  constructor() {
    this.settled = new Promise((resolve) => (this.settle = resolve));
  }

  tell(arrival: Arrival): void {
    this.settle(arrival);
  }

  /** @returns what has arrived within a while; 'late' if nothing has. */
  async soon(): Promise<Arrival | 'late'> {
    let timer: NodeJS.Timeout | undefined;
    const patience = new Promise<'late'>((resolve) => {
      timer = setTimeout(resolve, PATIENCE_MS, 'late');
    });
    try {
      return await Promise.race([this.settled, patience]);
    } finally {
      clearTimeout(timer);
    }
  }
}

/**
 * Tells the arrival. Asks for the data source as for an optional one, since what Nest says of one that is not there names
 * neither the option nor a cure.
 */
export function dataSourceProvider(token: symbol, name: string | undefined): FactoryProvider {
  return {
    provide: token,
    inject: [{ token: getDataSourceToken(name) as InjectionToken, optional: true }, DataSourceArrival],
    useFactory: async (dataSource: Arrival, arrival: DataSourceArrival): Promise<Arrival> => {
      // Nest 11 takes one that has failed for one that is not there, and TypeORM's own error, which is on its way, says
      // what has happened.
      if (!dataSource) await setImmediate();
      arrival.tell(dataSource);
      return dataSource;
    },
  };
}

/** @returns what is wrong where there is no data source of that name. */
export function noDataSourceProblem(
  name: string | undefined,
  modules: ModulesContainer,
): WechatConfigurationProblem {
  const tokens = [...modules.values()].flatMap(({ providers }) => [...providers.keys()]);
  const names = tokens.flatMap((token) => nameOf(token) ?? []);
  const hasDefault = tokens.includes(DataSource);
  if (names.length === 0 && !hasDefault) {
    return {
      problem: 'There is no TypeORM data source in this application.',
      cure: "Import TypeOrmModule.forRoot({ type: 'postgres', ... }) in the root module, beside WechatAuthModule.",
    };
  }
  const there = [...(hasDefault ? ['the default one, which has no name'] : []), ...new Set(names)].join(', ');
  if (name === undefined) {
    return {
      problem: `There is no default TypeORM data source; there is: ${there}.`,
      cure: `Name the one to use in the option dataSource: WechatAuthModule.forRoot({ dataSource: '${names[0] ?? ''}' }).`,
    };
  }
  const near = nearestName(name, names);
  return {
    problem: `dataSource names a TypeORM data source that does not exist, ${/^[\w-]{1,64}$/.test(name) ? name : kindOf(name)}; there is: ${there}.`,
    cure:
      near === undefined
        ? 'Name one of these, or leave the option out for the default one.'
        : `Did you mean ${near}?`,
  };
}

function nameOf(token: InjectionToken): string | undefined {
  return typeof token === 'string' && token.endsWith(TOKEN_SUFFIX)
    ? token.slice(0, -TOKEN_SUFFIX.length)
    : undefined;
}

export const LATE_DATA_SOURCE: WechatConfigurationProblem = {
  problem:
    'The database is not connected yet, so its tables and the keys of what they hold are still to be checked.',
  cure: 'What keeps it is said by TypeOrmModule, in the lines above.',
};
