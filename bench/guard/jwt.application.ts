import { createSecretKey, randomBytes } from 'node:crypto';
import { Controller, Get, Injectable, Module, UseGuards } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { AuthGuard, PassportModule, PassportStrategy } from '@nestjs/passport';
import { SignJWT } from 'jose';
import { ExtractJwt, Strategy } from 'passport-jwt';
import { BODY, openidOf, PAGE_HEADERS, profileOf, type Route, VISITORS } from './route.js';

const KEY = createSecretKey(randomBytes(32));

@Injectable()
class JwtStrategy extends PassportStrategy(Strategy) {
  constructor() {
    super({
      jwtFromRequest: ExtractJwt.fromAuthHeaderAsBearerToken(),
      // With the usual text jsonwebtoken tries on every request whether it is a public key, which takes several times
      // as long; that it takes a key object too, the types of passport-jwt do not say.
      secretOrKey: KEY as unknown as Buffer,
      algorithms: ['HS256'],
    });
  }

  validate({ sub }: { sub: string }): { openid: string } {
    return { openid: sub };
  }
}

@Controller()
class RoutesController {
  @Get('guarded')
  @UseGuards(AuthGuard('jwt'))
  guarded(): string {
    return BODY;
  }
}

@Module({ imports: [PassportModule], providers: [JwtStrategy], controllers: [RoutesController] })
class HostModule {}

/** Starts an application as Nest's documentation builds it: `AuthGuard('jwt')`, with the key in its fastest form. */
export async function startJwt(): Promise<Record<string, Route>> {
  const app = await NestFactory.create(HostModule, { logger: false });
  await app.listen(0, '127.0.0.1');
  const visitors = await Promise.all(
    Array.from({ length: VISITORS }, async (_, index) => {
      const { openid } = profileOf(openidOf(index));
      const token = await new SignJWT({ sub: openid })
        .setProtectedHeader({ alg: 'HS256' })
        .setIssuedAt()
        .setExpirationTime('30 days')
        .sign(KEY);
      return { ...PAGE_HEADERS, authorization: `Bearer ${token}` };
    }),
  );
  return { 'passport-jwt': { url: `${await app.getUrl()}/guarded`, visitors, isGuarded: true } };
}
