import { Agent, request } from 'node:http';
import { draftPatient } from './draft-patient.js';

interface HttpAnswer {
  readonly status: number | undefined;
  readonly body: string;
}

/** A clinician's app: connections that stay open, one token, `POST /patients`. */
export class HttpCreates {
  private readonly agent: Agent;
  private made = 0;

  private constructor(
    private readonly url: string,
    private readonly token: string,
    concurrency: number,
  ) {
    this.agent = new Agent({ keepAlive: true, maxSockets: concurrency });
  }

  /** Signs in as a physician of the region, whom the administrator makes if needed. */
  static async signIn(
    url: string,
    administratorToken: string,
    region: string,
    concurrency: number,
  ): Promise<HttpCreates> {
    const credentials = { email: 'dr.sow@example.org', password: 'karité et baobab' };
    const made = await send(url, '/api/v1/users', administratorToken, {
      ...credentials,
      fullName: 'Dr Sow',
      role: 'medecin',
      region,
    });
    expectStatus(made, [201, 409]);
    const signedIn = await send(url, '/api/v1/auth/login', undefined, credentials);
    expectStatus(signedIn, [200, 201]);
    const { accessToken } = JSON.parse(signedIn.body) as { accessToken: string };
    return new HttpCreates(url, accessToken, concurrency);
  }

  /** Resolves with the id of the patient. */
  async create(): Promise<string> {
    const answer = await send(
      this.url,
      '/api/v1/patients',
      this.token,
      draftPatient(this.made++),
      this.agent,
    );
    expectStatus(answer, [201]);
    return (JSON.parse(answer.body) as { id: string }).id;
  }

  close(): void {
    this.agent.destroy();
  }
}

function send(
  url: string,
  path: string,
  token: string | undefined,
  content: unknown,
  agent?: Agent,
): Promise<HttpAnswer> {
  const body = JSON.stringify(content);
  const headers = {
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(body),
    ...(token && { authorization: `Bearer ${token}` }),
  };
  return new Promise((resolve, reject) => {
    const sent = request(new URL(path, url), { method: 'POST', agent, headers }, (answer) => {
      let text = '';
      answer.setEncoding('utf8');
      answer.on('data', (part: string) => (text += part));
      answer.on('end', () => resolve({ status: answer.statusCode, body: text }));
    });
    sent.on('error', reject);
    sent.end(body);
  });
}

function expectStatus({ status, body }: HttpAnswer, expected: readonly number[]): void {
  if (status === undefined || !expected.includes(status)) throw new Error(`${String(status)}: ${body}`);
}
