import { resolve } from 'node:path';
import js from '@eslint/js';
import prettier from 'eslint-config-prettier';
import { defineConfig } from 'eslint/config';
import tseslint from 'typescript-eslint';

// Run from the project's root, `eslint -c .ci/eslint.config.js .`: patterns are relative to there.
const ROOT = resolve(import.meta.dirname, '..');

const PRODUCT = ['src/**/*.ts', 'ormconfig/**/*.ts', 'bench/**/*.ts'];
const TESTS = ['test/**/*.ts', '**/*.test.ts'];

const ASK_THE_ROUTER =
  'Only src/routing and ormconfig name a connection: ask the DataRouter for the repository.';

// Each refusal is written once; every folder below picks those that hold for it.
const REFUSED = {
  skippedTest: {
    selector:
      'MemberExpression[object.name=/^(describe|it|test)$/][property.name=/^(only|skip|todo|failing)$/],' +
      'CallExpression[callee.name=/^(fdescribe|fit|xdescribe|xit|xtest)$/]',
    message: 'No test is skipped and none runs alone.',
  },
  swallowedError: {
    selector:
      'CatchClause > BlockStatement[body.length=0],' +
      "CallExpression[callee.property.name='catch'] > :function > BlockStatement[body.length=0]," +
      "CallExpression[callee.property.name='catch'] > ArrowFunctionExpression > Identifier.body[name='undefined']",
    message: 'No failure is swallowed: handle it, log it, or let it pass.',
  },
  forwardRef: {
    selector: "CallExpression[callee.name='forwardRef']",
    message: 'A forwardRef hides a cycle: cut the cycle.',
  },
  barrel: {
    selector: 'ExportAllDeclaration',
    message: 'Import a name from the file that declares it.',
  },
  connectionName: {
    selector: 'Literal[value=/^(regionale|default)$/], TemplateElement[value.raw=/^(regionale|default)$/]',
    message: ASK_THE_ROUTER,
  },
  environment: {
    selector:
      "MemberExpression[object.name='process'][property.name='env']," +
      "ImportDeclaration[source.value=/^(node:)?process$/] > ImportSpecifier[imported.name='env']",
    message: 'The environment is read once, in src/config: inject Config.',
  },
};

const everywhere = [REFUSED.skippedTest, REFUSED.swallowedError];
const inProduct = Object.values(REFUSED);
const refuse = (refusals) => ({ 'no-restricted-syntax': ['error', ...refusals] });
const refuseAllBut = (...allowed) => refuse(inProduct.filter((refusal) => !allowed.includes(refusal)));

export default defineConfig(
  { ignores: ['**/node_modules/**', '**/dist/**', '**/.medlink/**', '**/coverage/**'] },
  { linterOptions: { reportUnusedDisableDirectives: 'error' } },

  js.configs.recommended,
  {
    rules: {
      eqeqeq: ['error', 'always', { null: 'ignore' }],
      'no-console': 'error',
      'object-shorthand': 'error',
      'prefer-const': 'error',
      ...refuse(everywhere),
    },
  },

  {
    files: ['**/*.ts'],
    extends: [tseslint.configs.strictTypeChecked],
    languageOptions: {
      // One program holds src, ormconfig, bench and test; a project service would build two.
      parserOptions: { project: './test/tsconfig.json', tsconfigRootDir: ROOT },
    },
    rules: {
      // Files with decorators are left alone under emitDecoratorMetadata, so that what Nest injects
      // stays a value. Types get a statement of their own: under verbatimModuleSyntax,
      // `import { type T }` would still load the module.
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/consistent-type-exports': 'error',
      '@typescript-eslint/no-import-type-side-effects': 'error',
      '@typescript-eslint/explicit-module-boundary-types': 'error',
      '@typescript-eslint/switch-exhaustiveness-check': [
        'error',
        { considerDefaultExhaustiveForUnions: true },
      ],
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', ignoreRestSiblings: true }],

      // A module, a controller or an entity may be decorators and nothing else.
      '@typescript-eslint/no-extraneous-class': ['error', { allowWithDecorator: true }],
      // `${count}` reads better than `${String(count)}`, and loses nothing.
      '@typescript-eslint/restrict-template-expressions': [
        'error',
        { allowNumber: true, allowBoolean: true },
      ],
      // `() => queue.push(x)` and `return abort();` may be statements.
      '@typescript-eslint/no-confusing-void-expression': [
        'error',
        { ignoreArrowShorthand: true, ignoreVoidReturningFunctions: true },
      ],
      // What a library hands over as unknown may be passed on as it is.
      '@typescript-eslint/only-throw-error': ['error', { allowThrowingUnknown: true }],
      // `async` also turns a throw into a rejection, without an await.
      '@typescript-eslint/require-await': 'off',
      // A flag that narrowed to false may be true after an await, and a token's claims are only
      // claimed to have their type.
      '@typescript-eslint/no-unnecessary-condition': 'off',
      // TypeORM's manager.queryRunner and its like are there where the code runs.
      '@typescript-eslint/no-non-null-assertion': 'off',
      // Config, entities and DTOs are classes for the sake of decorators: values, made from literals
      // and spread. And `[...name]` is how code points are counted.
      '@typescript-eslint/no-unsafe-class-instance-assignment': 'off',
      '@typescript-eslint/no-misused-spread': 'off',
      // Nest's and TypeORM's generics take a type that the caller states.
      '@typescript-eslint/no-unnecessary-type-parameters': 'off',
    },
  },

  {
    files: PRODUCT,
    rules: {
      ...refuse(inProduct),
      'max-lines': ['error', { max: 250, skipBlankLines: true, skipComments: true }],
      'max-lines-per-function': ['error', { max: 40, skipBlankLines: true, skipComments: true }],
      // As many dependencies as a service may have.
      'max-params': ['error', 5],
      complexity: ['error', 12],
      'no-restricted-imports': ['error', { paths: [{ name: '@nestjs/typeorm', message: ASK_THE_ROUTER }] }],
    },
  },
  // A handler takes each part of a request as a parameter, and makes one call of them.
  { files: ['src/**/*.controller.ts'], rules: { 'max-params': 'off' } },
  { files: ['src/routing/**'], rules: refuseAllBut(REFUSED.connectionName) },
  { files: ['src/routing/**', 'src/databases/**'], rules: { 'no-restricted-imports': 'off' } },
  { files: ['src/config/**'], rules: refuseAllBut(REFUSED.environment) },
  {
    files: ['src/main.ts', 'src/cli/**', 'bench/**'],
    rules: { ...refuseAllBut(REFUSED.environment), 'no-console': 'off' },
  },
  { files: ['ormconfig/**'], rules: refuseAllBut(REFUSED.environment, REFUSED.connectionName) },
  // A migration is one long piece of SQL.
  { files: ['ormconfig/migrations/**'], rules: { 'max-lines': 'off', 'max-lines-per-function': 'off' } },

  {
    files: TESTS,
    rules: {
      ...refuse(everywhere),
      'no-console': 'off',
      'max-lines': 'off',
      'max-lines-per-function': 'off',
      'no-restricted-imports': 'off',
      // Answers come as JSON, and a test that reads a missing field fails by itself.
      '@typescript-eslint/no-explicit-any': 'off',
      '@typescript-eslint/no-unsafe-argument': 'off',
      '@typescript-eslint/no-unsafe-assignment': 'off',
      '@typescript-eslint/no-unsafe-call': 'off',
      '@typescript-eslint/no-unsafe-member-access': 'off',
      '@typescript-eslint/no-unsafe-return': 'off',
      '@typescript-eslint/explicit-module-boundary-types': 'off',
      '@typescript-eslint/no-extraneous-class': 'off',
      '@typescript-eslint/unbound-method': 'off',
    },
  },

  {
    files: ['**/*.js', '**/*.mjs', '**/*.cjs'],
    languageOptions: {
      globals: globals('process', 'console', 'fetch', 'URL', 'Buffer', 'AbortSignal', 'setTimeout'),
    },
    rules: { 'no-console': 'off' },
  },
  { files: ['**/*.cjs'], languageOptions: { sourceType: 'commonjs' } },
  // What runs inside the page of a browser test.
  { files: ['test/browser/**'], languageOptions: { globals: globals('document', 'window') } },
  prettier,
);

function globals(...names) {
  return Object.fromEntries(names.map((name) => [name, 'readonly']));
}
