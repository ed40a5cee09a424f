import { randomBytes } from 'node:crypto';
import {
  type CanActivate,
  Controller,
  type ExecutionContext,
  Get,
  HttpCode,
  Injectable,
  Module,
  Post,
  Query,
  Req,
  UseGuards,
} from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import connectPgSimple from 'connect-pg-simple';
import type { Request } from 'express';
import session, { type Store } from 'express-session';
import passport from 'passport';
import { BODY, openidOf, PAGE_HEADERS, profileOf, type Route, VISITORS } from './route.js';

const MONTH_MS = 30 * 24 * 60 * 60 * 1000;

@Injectable()
class SignedInGuard implements CanActivate {
  canActivate(context: ExecutionContext): boolean {
    return context.switchToHttp().getRequest<Request>().isAuthenticated();
  }
}

@Controller()
class RoutesController {
  @Post('sign-in')
  @HttpCode(204)
  signIn(@Req() request: Request, @Query('openid') openid: string): Promise<void> {
    return new Promise((resolve, reject) => {
      request.logIn(profileOf(openid), (error: unknown) => {
        if (error instanceof Error) reject(error);
        else resolve();
      });
    });
  }

  @Get('guarded')
  @UseGuards(SignedInGuard)
  guarded(): string {
    return BODY;
  }
}

@Module({ controllers: [RoutesController] })
class HostModule {}

/** Starts an application with server-side sessions in the process's memory, behind Passport. */
export function startMemorySessions(): Promise<Record<string, Route>> {
  return start('express-session', new session.MemoryStore());
}

/** Starts an application with sessions in PostgreSQL: as many connections as TypeORM opens, and no work but reading. */
export function startPostgresSessions(databaseUrl: string): Promise<Record<string, Route>> {
  const PostgresStore = connectPgSimple(session);
  const store = new PostgresStore({
    conString: databaseUrl,
    createTableIfMissing: true,
    // By default every request writes too, to prolong its session. Ours does not, so this must not.
    disableTouch: true,
    pruneSessionInterval: false,
  });
  return start('connect-pg-simple', store);
}

async function start(name: string, store: Store): Promise<Record<string, Route>> {
  // The profile is in the session, so that nothing more is to be read.
  passport.serializeUser((user, done) => done(null, user));
  passport.deserializeUser((user: Express.User, done) => done(null, user));
  const app = await NestFactory.create(HostModule, { logger: false });
  app.use(
    session({
      secret: randomBytes(32).toString('hex'),
      store,
      resave: false,
      saveUninitialized: false,
      cookie: { maxAge: MONTH_MS, sameSite: 'lax' },
    }),
    passport.session(),
  );
  await app.listen(0, '127.0.0.1');
  const url = await app.getUrl();
  const visitors: Record<string, string>[] = [];
  for (let index = 0; index < VISITORS; index++) {
    const response = await fetch(`${url}/sign-in?openid=${openidOf(index)}`, { method: 'POST' });
    const [cookie = ''] = (response.headers.get('set-cookie') ?? '').split(';');
    visitors.push({ ...PAGE_HEADERS, cookie });
  }
  return { [name]: { url: `${url}/guarded`, visitors, isGuarded: true } };
}
