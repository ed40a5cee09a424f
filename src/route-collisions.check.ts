import { RequestMethod, VERSION_NEUTRAL } from '@nestjs/common';
import { HOST_METADATA, METHOD_METADATA, PATH_METADATA, VERSION_METADATA } from '@nestjs/common/constants.js';
import { type ApplicationConfig, MetadataScanner, type ModulesContainer } from '@nestjs/core';
import type { WechatConfigurationProblem } from './common/errors.js';
import { joinedPath, modulePathOf } from './sign-in/module-path.js';
import { SignInController } from './sign-in/sign-in.controller.js';

/** A handler of a controller, and how it is reached. */
interface Route {
  place: string;
  method: RequestMethod;
  path: string;
  /** Whether it is one of this module's. */
  isOurs: boolean;
}

/**
 * Finds handlers of the host's on the very paths of the module's own, where only one of the two is ever reached. To be
 * asked once the host has said how it numbers versions and where it mounts modules.
 *
 * @param path where the module's own routes are, an option.
 */
export function collisionProblems(
  modules: ModulesContainer,
  application: ApplicationConfig,
  path: string,
): WechatConfigurationProblem[] {
  const routes = routesOf(modules, application.getVersioning() !== undefined);
  const ours = routes.filter(({ isOurs }) => isOurs);
  const colliding = routes.filter((route) => !route.isOurs && ours.some((own) => isSame(own, route)));
  // A class that several modules name counts once.
  const places = new Map(colliding.map((route) => [route.place + route.path, route]));
  return [...places.values()].map((route) => ({
    problem: `${route.place} answers ${route.path}, a route of this module's own.`,
    cure: `Move it; or move the module's routes by the option path, which is ${path}.`,
  }));
}

function isSame(own: Route, { method, path }: Route): boolean {
  return own.path === path && (method === own.method || method === RequestMethod.ALL);
}

function routesOf(modules: ModulesContainer, hasVersions: boolean): Route[] {
  return [...modules.values()].flatMap((module) => {
    const modulePath = modulePathOf(module.metatype, modules);
    const controllers = [...module.controllers.values()].map(({ metatype }) => metatype as Controller);
    return controllers.flatMap((controller) =>
      handlersOf(controller)
        .filter(({ handler }) => isOurs(controller) || isForAll(controller, handler, hasVersions))
        .flatMap(({ name, handler }) =>
          pathsOf(controller, handler).map((path) => ({
            place: `${controller.name}.${name}`,
            method: Reflect.getMetadata(METHOD_METADATA, handler) as RequestMethod,
            path: joinedPath(modulePath, path),
            isOurs: isOurs(controller),
          })),
        ),
    );
  });
}

function isOurs({ prototype }: Controller): boolean {
  return prototype instanceof SignInController;
}

/** Whether it answers on any host name, and by no number of a version in its path or in a header. */
function isForAll(controller: Controller, handler: object, hasVersions: boolean): boolean {
  if (Reflect.getMetadata(HOST_METADATA, controller) !== undefined) return false;
  const version: unknown =
    Reflect.getMetadata(VERSION_METADATA, handler) ?? Reflect.getMetadata(VERSION_METADATA, controller);
  return !hasVersions || [version].flat().includes(VERSION_NEUTRAL);
}

interface Controller {
  name: string;
  prototype: Record<string, object>;
}

function handlersOf({ prototype }: Controller): { name: string; handler: object }[] {
  return new MetadataScanner().getAllMethodNames(prototype).flatMap((name) => {
    const handler = prototype[name];
    return handler && Reflect.hasMetadata(METHOD_METADATA, handler) ? [{ name, handler }] : [];
  });
}

function pathsOf(controller: object, handler: object): string[] {
  return pathsAt(controller).flatMap((before) => pathsAt(handler).map((after) => `${before}/${after}`));
}

function pathsAt(target: object): string[] {
  const paths = Reflect.getMetadata(PATH_METADATA, target) as string | string[] | undefined;
  return [paths ?? ''].flat();
}
