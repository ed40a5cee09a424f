import 'reflect-metadata';
import { createHash } from 'node:crypto';
import { type INestApplicationContext, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { TypeOrmModule } from '@nestjs/typeorm';
import { wechatAuthMigrations, WechatAuthModule } from '../../src/index.js';
import type { EmulatedWechat } from './wechat.main.js';

/** What the tokens in the table are sealed with. */
export const KEY = { kid: 'k1', secret: createHash('sha256').update('bench').digest() };

export const CONCURRENCY = 32;
export const BATCH = 500;

/** An application as a host would start it to refresh tokens and nothing else. */
export async function startHost(
  databaseUrl: string,
  { origin, accounts }: EmulatedWechat,
): Promise<INestApplicationContext> {
  @Module({
    imports: [
      TypeOrmModule.forRoot({
        type: 'postgres',
        url: databaseUrl,
        autoLoadEntities: true,
        migrations: [...wechatAuthMigrations],
        migrationsRun: true,
      }),
      WechatAuthModule.forRoot({
        accounts,
        publicUrl: 'http://localhost:3000',
        keys: `${KEY.kid}:${KEY.secret.toString('base64')}`,
        openBaseUrl: origin,
        apiBaseUrl: origin,
        // The suite says when; the rest is as every host has it.
        refresh: { intervalMs: 60 * 60 * 1000, concurrency: CONCURRENCY, batchSize: BATCH, quotaShare: 1 },
      }),
    ],
  })
  class HostModule {}
  return NestFactory.createApplicationContext(HostModule, { logger: ['error'] });
}
