import { ConfigError, loadConfig } from '../../src/config/config.js';

const problemsOf = (env: NodeJS.ProcessEnv) => {
  try {
    loadConfig(env);
    return [];
  } catch (error) {
    if (error instanceof ConfigError) return error.problems;
    throw error;
  }
};

describe('the configuration', () => {
  it('without any variable, is a standalone node of one region on port 3000', () => {
    const config = loadConfig({});
    expect(config).toMatchObject({ port: 3000, mode: 'standalone', region: 'DKR', logLevel: 'info' });
    expect(config).toMatchObject({ regionaleUrl: undefined, centralUrl: undefined, requireIfMatch: false });
    expect(config.dataDir).toMatch(/\.medlink$/);
  });

  it('names every unusable variable at once', () => {
    const problems = problemsOf({
      PORT: '70000',
      MEDLINK_NODE: 'hospital',
      MEDLINK_REGION: 'Dakar',
      DATABASE_REGIONALE_URL: 'mysql://localhost/x',
      MEDLINK_LOG_LEVEL: 'loud',
      MEDLINK_CORS_ORIGINS: 'https://ok.example, ok.example/path',
      MEDLINK_JOURNAL_MONTHS: '0',
    });
    expect(problems.map((problem) => problem.split(' ')[0])).toEqual([
      'PORT',
      'MEDLINK_NODE',
      'MEDLINK_REGION',
      'DATABASE_REGIONALE_URL',
      'MEDLINK_LOG_LEVEL',
      'MEDLINK_CORS_ORIGINS',
      'MEDLINK_JOURNAL_MONTHS',
    ]);
  });

  it('refuses a database URL with session options: they would switch the capture of the application off', () => {
    const url = 'postgresql://u@db.example/regionale';
    expect(problemsOf({ DATABASE_REGIONALE_URL: `${url}?sslmode=verify-full` })).toEqual([]);
    expect(problemsOf({ DATABASE_REGIONALE_URL: `${url}?options=-c%20jit%3Don` })).toEqual([
      expect.stringMatching(/DATABASE_REGIONALE_URL must not set "options"/),
    ]);
  });
});
