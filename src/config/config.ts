import { resolve } from 'node:path';

/** What one MedLink process is. See docs/architecture.md, "Nodes". */
export type NodeMode = 'standalone' | 'regional' | 'central';

/** Everything the environment decides, read once at start. Inject it by its class. */
export class Config {
  /** HTTP port. 0 lets the system choose one. */
  readonly port: number;
  readonly mode: NodeMode;
  /** Region code of this node, two to four capital letters. */
  readonly region: string;
  /** `undefined`: an embedded PostgreSQL in `dataDir` serves the connection. */
  readonly regionaleUrl: string | undefined;
  readonly centralUrl: string | undefined;
  /** Absolute path: embedded clusters and generated secrets. */
  readonly dataDir: string;
  readonly adminEmail: string;
  readonly adminPassword: string | undefined;
  readonly jwtSecret: string | undefined;
  readonly logLevel: string;
  /** When true, every PUT, PATCH and DELETE needs `If-Match`. */
  readonly requireIfMatch: boolean;
  /** Origins whose pages may call the API from a browser. None by default. */
  readonly corsOrigins: readonly string[];
  /** Whole months of the journal that are kept beside the running one. `undefined`: all of them. */
  readonly journalMonths: number | undefined;
  readonly production: boolean;

  constructor(values: Config) {
    this.port = values.port;
    this.mode = values.mode;
    this.region = values.region;
    this.regionaleUrl = values.regionaleUrl;
    this.centralUrl = values.centralUrl;
    this.dataDir = values.dataDir;
    this.adminEmail = values.adminEmail;
    this.adminPassword = values.adminPassword;
    this.jwtSecret = values.jwtSecret;
    this.logLevel = values.logLevel;
    this.requireIfMatch = values.requireIfMatch;
    this.corsOrigins = values.corsOrigins;
    this.journalMonths = values.journalMonths;
    this.production = values.production;
  }
}

/** The environment names a value that MedLink cannot run with. `problems` names each variable. */
export class ConfigError extends Error {
  readonly code = 'CONFIG_INVALID';

  constructor(readonly problems: readonly string[]) {
    super(`The environment is not usable:\n${problems.map((problem) => `  - ${problem}`).join('\n')}`);
    this.name = 'ConfigError';
  }
}

const MODES: readonly string[] = ['standalone', 'regional', 'central'];
const LOG_LEVELS: readonly string[] = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'];

/** Reads `env`, refusing every bad value at once with a {@link ConfigError}. */
export function loadConfig(env: NodeJS.ProcessEnv): Config {
  const variables = new Variables(env);
  const config = new Config({
    port: variables.port('PORT', 3000),
    mode: variables.choice('MEDLINK_NODE', MODES, 'standalone') as NodeMode,
    region: variables.region('MEDLINK_REGION', 'DKR'),
    regionaleUrl: variables.databaseUrl('DATABASE_REGIONALE_URL'),
    centralUrl: variables.databaseUrl('DATABASE_DEFAULT_URL'),
    dataDir: resolve(variables.text('MEDLINK_DATA_DIR') ?? '.medlink'),
    adminEmail: (variables.text('MEDLINK_ADMIN_EMAIL') ?? 'admin@medlink.local').toLowerCase(),
    adminPassword: variables.text('MEDLINK_ADMIN_PASSWORD'),
    jwtSecret: variables.text('MEDLINK_JWT_SECRET'),
    logLevel: variables.choice('MEDLINK_LOG_LEVEL', LOG_LEVELS, 'info'),
    requireIfMatch: variables.choice('MEDLINK_REQUIRE_IF_MATCH', ['true', 'false'], 'false') === 'true',
    corsOrigins: variables.origins('MEDLINK_CORS_ORIGINS'),
    journalMonths: variables.months('MEDLINK_JOURNAL_MONTHS'),
    production: env.NODE_ENV === 'production',
  });
  if (variables.problems.length > 0) throw new ConfigError(variables.problems);
  return config;
}

/** Reads one variable at a time, and remembers what is wrong with each. */
class Variables {
  readonly problems: string[] = [];

  constructor(private readonly env: NodeJS.ProcessEnv) {}

  text(name: string): string | undefined {
    const value = this.env[name]?.trim();
    return value === '' ? undefined : value;
  }

  choice(name: string, allowed: readonly string[], fallback: string): string {
    const value = this.text(name) ?? fallback;
    this.expect(allowed.includes(value), `${name} is "${value}"; it must be one of ${allowed.join(', ')}`);
    return value;
  }

  port(name: string, fallback: number): number {
    const value = Number(this.text(name) ?? fallback);
    const isPort = Number.isInteger(value) && value >= 0 && value <= 65535;
    this.expect(isPort, `${name} must be an integer from 0 to 65535`);
    return value;
  }

  months(name: string): number | undefined {
    const text = this.text(name);
    if (text === undefined) return undefined;
    this.expect(/^[1-9]\d{0,3}$/.test(text), `${name} must be an integer from 1 to 9999`);
    return Number(text);
  }

  region(name: string, fallback: string): string {
    const value = this.text(name) ?? fallback;
    this.expect(/^[A-Z]{2,4}$/.test(value), `${name} must be two to four capital letters, like DKR`);
    return value;
  }

  databaseUrl(name: string): string | undefined {
    const value = this.text(name);
    if (value === undefined) return undefined;
    const isUrl = /^postgres(ql)?:\/\//.test(value) && URL.canParse(value);
    this.expect(isUrl, `${name} must be a URL that starts with postgresql://`);
    // They would replace the session's own, which tell the database who journals.
    const setsOptions = isUrl && new URL(value).searchParams.has('options');
    this.expect(!setsOptions, `${name} must not set "options": MedLink sets them itself`);
    return value;
  }

  origins(name: string): string[] {
    const values = (this.text(name) ?? '').split(',').flatMap((value) => value.trim() || []);
    const areOrigins = values.every((value) => URL.canParse(value) && new URL(value).origin === value);
    this.expect(areOrigins, `${name} holds origins like https://app.example, separated by commas`);
    return values;
  }

  private expect(isRight: boolean, problem: string): void {
    if (!isRight) this.problems.push(problem);
  }
}
