// A patient is registered in the region and arrives at central by itself.
import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';

const { MEDLINK_URL, MEDLINK_ADMIN_EMAIL, MEDLINK_ADMIN_PASSWORD } = process.env;
const ARRIVES_WITHIN_MS = 30_000;

const login = await call('POST', '/auth/login', {
  body: { email: MEDLINK_ADMIN_EMAIL, password: MEDLINK_ADMIN_PASSWORD },
});
assert.equal(login.status, 200, JSON.stringify(login.body));
const token = login.body.accessToken;

const draft = { familyName: "N'Diaye", givenNames: 'Awa Ó', birthDate: '1987-03-14', sex: 'female' };
const created = await call('POST', '/patients', { token, body: draft });
assert.equal(created.status, 201, JSON.stringify(created.body));
const { id, medicalId } = created.body;
console.log(`registered ${medicalId}`);

const started = Date.now();
const central = await arrival(`/national/patients/${id}`);
for (const [field, value] of Object.entries({ ...draft, medicalId }))
  assert.equal(central[field], value, field);
console.log(`at central ${Date.now() - started} ms after its answer`);

async function arrival(path) {
  for (;;) {
    const answer = await call('GET', path, { token });
    if (answer.status === 200) return answer.body;
    // Not there yet, or central itself is still being opened: the node serves before that.
    assert.ok([404, 503].includes(answer.status), JSON.stringify(answer.body));
    assert.ok(Date.now() - started < ARRIVES_WITHIN_MS, `not at central after ${ARRIVES_WITHIN_MS} ms`);
    await sleep(50);
  }
}

async function call(method, path, { token: bearer, body } = {}) {
  const response = await fetch(`${MEDLINK_URL}/api/v1${path}`, {
    method,
    headers: {
      ...(bearer && { authorization: `Bearer ${bearer}` }),
      ...(body && { 'content-type': 'application/json' }),
    },
    body: body && JSON.stringify(body),
  });
  return { status: response.status, body: await response.json() };
}
