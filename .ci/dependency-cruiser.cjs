/**
 * Imports point one way, and a new folder says here where it stands. Each folder may import itself
 * and the folders listed beside it:
 *
 *   config ← observability ← routing ← databases ← journal ← http ← accounts ← patients ← national, imports
 *                                                  journal ← apply ← relay ← sync
 */
const GROUND = ['config', 'observability', 'routing'];
const EDGE = [...GROUND, 'journal', 'http', 'accounts'];
const MAY_IMPORT = {
  config: [],
  observability: ['config'],
  routing: ['config', 'observability'],
  databases: GROUND,
  journal: [...GROUND, 'databases'],
  apply: [...GROUND, 'databases', 'journal', 'conflicts'],
  relay: [...GROUND, 'databases', 'journal', 'apply', 'alerts', 'regions'],
  http: [...GROUND, 'journal'],
  accounts: [...GROUND, 'journal', 'http'],
  regions: EDGE,
  hosts: EDGE,
  conflicts: [...EDGE, 'hosts'],
  patients: [...EDGE, 'alerts', 'hosts', 'conflicts'],
  alerts: EDGE,
  quarantine: [...EDGE, 'databases', 'apply'],
  national: [...EDGE, 'regions', 'hosts', 'patients'],
  imports: [...EDGE, 'patients'],
  sync: [...EDGE, 'databases', 'regions', 'hosts', 'conflicts', 'relay', 'patients'],
};

const oneOf = (names) => `(${names.join('|')})`;
const FOLDERS = Object.keys(MAY_IMPORT);

/** What is started, and so imported by nothing. */
const ENTRIES = '^(src/main|src/cli/[^/]+|ormconfig/[^/]+\\.cli|ormconfig/(regionale|default))\\.(ts|mjs)$';
/** Holds everything together, for the entries to start. */
const APPLICATION = '^src/app[^/]*\\.ts$';

const oneWay = Object.entries(MAY_IMPORT).map(([folder, allowed]) => ({
  name: `${folder}-imports-one-way`,
  comment: `src/${folder} imports ${allowed.length > 0 ? `only ${allowed.join(', ')}` : 'no other folder'}.`,
  severity: 'error',
  from: { path: `^src/${folder}/` },
  to: { path: '^src/[^/]+/', pathNot: `^src/${oneOf([folder, ...allowed, 'cli'])}/` },
}));

module.exports = {
  forbidden: [
    ...oneWay,
    {
      name: 'a-folder-has-its-place',
      comment: 'A new folder of src is added to MAY_IMPORT, in .ci/dependency-cruiser.cjs.',
      severity: 'error',
      from: {},
      to: { path: '^src/[^/]+/', pathNot: `^src/${oneOf([...FOLDERS, 'cli'])}/` },
    },
    {
      name: 'no-vague-names',
      comment:
        'A helper lives beside its only user or gets a noun, and a barrel hides where a name comes from.',
      severity: 'error',
      from: {},
      to: { path: ['/(utils?|common|shared|helpers?)/', '/index\\.ts$'], pathNot: 'node_modules/' },
    },
    {
      name: 'no-cycle',
      comment: 'Types count too: whoever reads one file of a cycle has to read all.',
      severity: 'error',
      from: {},
      to: { circular: true },
    },
    {
      name: 'no-dead-code',
      comment: 'Every file is reached from an entry. What only a test uses belongs into test/.',
      severity: 'error',
      from: { path: ENTRIES },
      to: { path: '^(src|ormconfig)/', pathNot: [ENTRIES, '\\.test\\.ts$'], reachable: false },
    },
    {
      name: 'no-orphan',
      severity: 'error',
      from: { orphan: true, pathNot: ENTRIES },
      to: {},
    },
    {
      name: 'entries-are-not-imported',
      comment: 'src/main.ts and src/cli start the application; nothing builds on them.',
      severity: 'error',
      from: { pathNot: '^src/cli/' },
      to: { path: '^src/(main\\.ts$|cli/)' },
    },
    {
      name: 'only-entries-import-the-application',
      severity: 'error',
      from: { pathNot: [ENTRIES, APPLICATION] },
      to: { path: APPLICATION },
    },
    {
      name: 'only-databases-open-connections',
      comment: 'How a connection is opened is between ormconfig and src/databases.',
      severity: 'error',
      from: { path: '^src/', pathNot: '^src/(databases|cli)/' },
      to: { path: '^ormconfig/' },
    },
    {
      name: 'ormconfig-imports-one-way',
      comment:
        'ormconfig knows routing and configuration; its entries load the application for its entities.',
      severity: 'error',
      from: { path: '^ormconfig/' },
      to: { path: '^src/', pathNot: ['^src/(config|routing)/', APPLICATION] },
    },
    {
      name: 'product-stands-without-its-tests',
      severity: 'error',
      from: { path: '^(src|ormconfig)/', pathNot: '\\.test\\.ts$' },
      to: { path: '^(test|bench)/|\\.test\\.ts$' },
    },
    {
      name: 'installed-in-production',
      comment: 'What src needs at run time is in "dependencies" of package.json.',
      severity: 'error',
      from: { path: '^(src|ormconfig)/', pathNot: '\\.test\\.ts$' },
      to: {
        dependencyTypes: ['npm-dev', 'npm-no-pkg', 'npm-unknown'],
        dependencyTypesNot: ['npm', 'npm-peer', 'type-only'],
      },
    },
    {
      name: 'resolvable',
      comment: 'An import that resolves to nothing would escape every other rule.',
      severity: 'error',
      from: {},
      to: { couldNotResolve: true },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '^dist/' },
    // Type-only imports are imports: a reader follows them just the same.
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'node', 'default', 'types'],
      extensions: ['.ts', '.js', '.mjs', '.cjs', '.d.ts', '.json'],
    },
  },
};
