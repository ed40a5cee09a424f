// Who may import whom, as errors. A room is a folder of src/; `common` imports nothing of ours.
// docs/architecture.md tells what each room is for.
const MAY_IMPORT = {
  common: [],
  configuration: ['common'],
  protocol: ['common'],
  grants: ['common', 'protocol'],
  refresh: ['common', 'protocol', 'grants'],
  'sign-in': ['common', 'protocol', 'grants'],
  observability: ['common', 'grants', 'refresh'],
  emulator: ['common'],
  testing: ['common', 'grants', 'sign-in'],
};
// The commands may use every room, the files right under src/, and the migrations.
const ROOMS = [...Object.keys(MAY_IMPORT), 'cli'];

const OURS = '^(src|migrations|examples|test|bench|simulation|scripts|dist)/';
const anyOf = (names) => `(${names.join('|')})`;

const rooms = Object.entries(MAY_IMPORT).map(([room, others]) => ({
  name: `room-${room}`,
  comment: `src/${room} may import ${others.length > 0 ? others.join(', ') : 'nothing of ours'}.`,
  severity: 'error',
  from: { path: `^src/${room}/` },
  to: { path: OURS, pathNot: `^src/${anyOf([room, ...others])}/` },
}));

module.exports = {
  forbidden: [
    ...rooms,
    {
      name: 'room-cli',
      comment: 'src/cli may import all of src and the migrations.',
      severity: 'error',
      from: { path: '^src/cli/' },
      to: { path: OURS, pathNot: '^(src|migrations)/' },
    },
    {
      name: 'room-unknown',
      comment: 'A new room needs its line in the table at the top of .dependency-cruiser.cjs.',
      severity: 'error',
      from: { path: '^src/[^/]+/', pathNot: `^src/${anyOf(ROOMS)}/` },
      to: {},
    },
    {
      name: 'top-of-src',
      comment:
        'What a host loads (src/*.ts) must not bring in the commands, the emulator or the test helpers.',
      severity: 'error',
      from: { path: '^src/[^/]+$' },
      to: { path: OURS, pathNot: ['^src/[^/]+$', '^src/(?!cli/|emulator/|testing/)[^/]+/', '^migrations/'] },
    },
    {
      name: 'migrations-alone',
      comment: 'A migration must do tomorrow what it does today: it imports nothing of ours.',
      severity: 'error',
      from: { path: '^migrations/' },
      to: { path: OURS, pathNot: '^migrations/' },
    },
    {
      name: 'examples-like-a-host',
      comment:
        'An example imports nestjs-wechat-auth, nestjs-wechat-auth/emulator or nestjs-wechat-auth/testing, as any ' +
        'host would.',
      severity: 'error',
      from: { path: '^examples/' },
      to: {
        path: OURS,
        pathNot: ['^examples/(?!dist/)', '^dist/src/(emulator/|testing/)?index[.](js|d[.]ts)$'],
      },
    },
    {
      name: 'examples-by-name',
      comment: 'An example names the package; it does not reach into its folders by a relative path.',
      severity: 'error',
      from: { path: '^examples/' },
      to: {
        path: '^(dist|scripts)/',
        dependencyTypes: ['local'],
        dependencyTypesNot: ['aliased', 'aliased-subpath-import'],
      },
    },
    {
      name: 'no-circles',
      comment:
        'No circles, not even of types: what needs each other belongs together, or a third file is missing.',
      severity: 'error',
      from: {},
      to: { circular: true },
    },
    {
      name: 'only-declared-packages',
      comment: 'A host gets our dependencies and peer dependencies, never our devDependencies.',
      severity: 'error',
      from: { path: '^(src|migrations)/' },
      to: {
        dependencyTypes: ['npm-dev', 'npm-no-pkg', 'npm-unknown', 'npm-bundled', 'deprecated'],
        dependencyTypesNot: ['npm', 'npm-peer', 'npm-optional'],
      },
    },
    {
      name: 'resolvable',
      comment: 'What is imported must exist.',
      severity: 'error',
      // Examples name our own package, which exists only after the build.
      from: {},
      to: { couldNotResolve: true, pathNot: '^nestjs-wechat-auth(/emulator|/testing)?$' },
    },
  ],
  options: {
    tsConfig: { fileName: 'tsconfig.json' },
    tsPreCompilationDeps: true, // imports of types count too
    combinedDependencies: false,
    doNotFollow: { path: ['node_modules', '^dist/'] },
    exclude: { path: '^examples/dist/' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'node', 'default', 'types'],
    },
  },
};
