import { MODULE_PATH } from '@nestjs/common/constants.js';
import type { ModulesContainer } from '@nestjs/core';

/**
 * What Nest's `RouterModule.register()` puts before the paths of a module's routes. To be asked once the application is
 * created: until then it may not have been said.
 *
 * @returns a path with a slash before and none at the end; empty if there is none.
 */
export function modulePathOf(metatype: object, modules: ModulesContainer): string {
  const path: unknown =
    Reflect.getMetadata(MODULE_PATH + modules.applicationId, metatype) ??
    Reflect.getMetadata(MODULE_PATH, metatype);
  return joinedPath(typeof path === 'string' ? path : '');
}

/** @returns the parts with one slash before each and none at the end; empty if all of them are. */
export function joinedPath(...parts: readonly string[]): string {
  return parts
    .join('/')
    .split('/')
    .filter((segment) => segment !== '')
    .map((segment) => `/${segment}`)
    .join('');
}
