// Node.js looks for a package in every node_modules on the way up: one that is missing here would be taken from the
// root, in another version, and nobody would notice. For Jest the way ends here.
import path from 'node:path';

const ROOT_PACKAGES = path.resolve(import.meta.dirname, '../../node_modules') + path.sep;

export default function resolve(request, options) {
  const found = options.defaultResolver(request, options);
  if (!found.startsWith(ROOT_PACKAGES)) return found;
  throw Object.assign(new Error(`Cannot find module '${request}'`), { code: 'MODULE_NOT_FOUND' });
}
