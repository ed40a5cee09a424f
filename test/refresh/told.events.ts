import { Module } from '@nestjs/common';

/** What a host was told by an event. */
export interface Told {
  name: string;
  payload: Record<string, unknown>;
}

/** Stands where `EventEmitterModule` of @nestjs/event-emitter would. */
export class EventEmitter2 {
  static readonly told: Told[] = [];

  emit(name: string, payload: Record<string, unknown>): void {
    EventEmitter2.told.push({ name, payload });
  }
}

@Module({ providers: [EventEmitter2] })
export class EventEmitterModule {}
