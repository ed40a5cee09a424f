import 'reflect-metadata';
import { serve } from '../server.process.js';
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

void serve(async (name = '', databaseUrl = '') => {
  const start = APPLICATIONS[name];
  if (!start) throw new Error(`There is no application ${name}.`);
  return start(databaseUrl);
});
