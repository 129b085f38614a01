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
    this.production = values.production;
  }
}

/** The environment names a value that MedLink cannot run with. `problems` names each variable. */
export class ConfigError extends Error {
  constructor(readonly problems: readonly string[]) {
    super(`The environment is not usable:\n${problems.map((problem) => `  - ${problem}`).join('\n')}`);
    this.name = 'ConfigError';
  }
}

const MODES: readonly string[] = ['standalone', 'regional', 'central'];
const LOG_LEVELS: readonly string[] = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'];

/** Reads `env`, refusing every bad value at once with a {@link ConfigError}. */
export function loadConfig(env: NodeJS.ProcessEnv): Config {
  const problems: string[] = [];
  const text = (name: string) => {
    const value = env[name]?.trim();
    return value === '' ? undefined : value;
  };
  const choice = (name: string, allowed: readonly string[], fallback: string) => {
    const value = text(name) ?? fallback;
    if (!allowed.includes(value))
      problems.push(`${name} is "${value}"; it must be one of ${allowed.join(', ')}`);
    return value;
  };
  const url = (name: string) => {
    const value = text(name);
    if (value !== undefined && !/^postgres(ql)?:\/\//.test(value)) {
      problems.push(`${name} must be a URL that starts with postgresql://`);
    }
    return value;
  };
  const origins = (name: string) => {
    const values = (text(name) ?? '').split(',').flatMap((value) => value.trim() || []);
    for (const value of values) {
      if (!URL.canParse(value) || new URL(value).origin !== value)
        problems.push(`${name} holds origins like https://app.example, separated by commas`);
    }
    return values;
  };
  const flag = (name: string) => choice(name, ['true', 'false'], 'false') === 'true';

  const port = Number(text('PORT') ?? 3000);
  if (!Number.isInteger(port) || port < 0 || port > 65535)
    problems.push('PORT must be an integer from 0 to 65535');
  const region = text('MEDLINK_REGION') ?? 'DKR';
  if (!/^[A-Z]{2,4}$/.test(region))
    problems.push('MEDLINK_REGION must be two to four capital letters, like DKR');

  const config = new Config({
    port,
    mode: choice('MEDLINK_NODE', MODES, 'standalone') as NodeMode,
    region,
    regionaleUrl: url('DATABASE_REGIONALE_URL'),
    centralUrl: url('DATABASE_DEFAULT_URL'),
    dataDir: resolve(text('MEDLINK_DATA_DIR') ?? '.medlink'),
    adminEmail: (text('MEDLINK_ADMIN_EMAIL') ?? 'admin@medlink.local').toLowerCase(),
    adminPassword: text('MEDLINK_ADMIN_PASSWORD'),
    jwtSecret: text('MEDLINK_JWT_SECRET'),
    logLevel: choice('MEDLINK_LOG_LEVEL', LOG_LEVELS, 'info'),
    requireIfMatch: flag('MEDLINK_REQUIRE_IF_MATCH'),
    corsOrigins: origins('MEDLINK_CORS_ORIGINS'),
    production: env.NODE_ENV === 'production',
  });
  if (problems.length > 0) throw new ConfigError(problems);
  return config;
}
