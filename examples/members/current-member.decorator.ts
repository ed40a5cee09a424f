import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import type { MemberRequest } from './member.guard.js';

/** The member who is calling; undefined on a public route. */
export const CurrentMember = createParamDecorator(
  (_data: unknown, context: ExecutionContext) => context.switchToHttp().getRequest<MemberRequest>().member,
);
