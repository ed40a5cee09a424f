import 'reflect-metadata';
import { performance } from 'node:perf_hooks';
import type { Usage } from './application.process.js';
import { startJwt } from './jwt.application.js';
import { startOurs } from './ours.application.js';
import type { Route } from './route.js';
import { startMemorySessions, startPostgresSessions } from './session.application.js';

const APPLICATIONS: Record<string, (databaseUrl: string) => Promise<Record<string, Route>>> = {
  express: (databaseUrl) => startOurs('express', databaseUrl),
  fastify: (databaseUrl) => startOurs('fastify', databaseUrl),
  'passport-jwt': startJwt,
  'express-session': startMemorySessions,
  'connect-pg-simple': startPostgresSessions,
};

/** The process of one application: says its routes, then on every message what it has used since the last one. */
async function main([name = '', databaseUrl = '']: string[]): Promise<void> {
  process.on('disconnect', () => process.exit());
  const routes = await APPLICATIONS[name]?.(databaseUrl);
  let loop = performance.eventLoopUtilization();
  let cpu = process.cpuUsage();
  process.on('message', () => {
    const { utilization } = performance.eventLoopUtilization(loop);
    const { user, system } = process.cpuUsage(cpu);
    loop = performance.eventLoopUtilization();
    cpu = process.cpuUsage();
    const usage: Usage = { busy: utilization, cpuMicroseconds: user + system };
    process.send?.(usage);
  });
  process.send?.(routes);
}

void main(process.argv.slice(2));
