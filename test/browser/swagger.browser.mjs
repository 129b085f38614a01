// What a developer tries first: authorize in the Swagger UI, and send the example as it stands.
import assert from 'node:assert/strict';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chromium } from 'playwright-core';

const { MEDLINK_URL, MEDLINK_ADMIN_EMAIL, MEDLINK_ADMIN_PASSWORD } = process.env;
const CREATE_PATIENT = '.opblock-post:has([data-path="/api/v1/patients"])';

const token = await logIn();
const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
  // Chromium refuses its sandbox to root, and a container has no other user.
  args: ['--no-sandbox', '--disable-dev-shm-usage'],
});
try {
  const page = await browser.newPage({ viewport: { width: 1280, height: 1600 } });
  const complaints = watch(page);

  await page.goto(`${MEDLINK_URL}/docs`);
  await authorize(page);
  const status = await executeUnchanged(page.locator(CREATE_PATIENT));
  const screenshot = join(await mkdtemp(join(tmpdir(), 'medlink-swagger-')), 'create-patient.png');
  await page.screenshot({ path: screenshot });
  console.log(`POST /patients from the Swagger UI: ${status} (${screenshot})`);

  assert.equal(status, '201');
  assert.deepEqual(complaints, []);
} finally {
  await browser.close();
}

async function logIn() {
  const response = await fetch(`${MEDLINK_URL}/api/v1/auth/login`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ email: MEDLINK_ADMIN_EMAIL, password: MEDLINK_ADMIN_PASSWORD }),
  });
  assert.equal(response.status, 200);
  return (await response.json()).accessToken;
}

/** What the page prints as an error, throws, fails to load, or asks of any other host. */
function watch(page) {
  const complaints = [];
  page.on('console', (message) => {
    if (message.type() === 'error') complaints.push(`console: ${message.text()}`);
  });
  page.on('pageerror', (error) => complaints.push(`thrown: ${error.message}`));
  page.on('requestfailed', (request) => complaints.push(`failed: ${request.url()}`));
  page.on('request', (request) => {
    const { protocol, origin } = new URL(request.url());
    if (protocol.startsWith('http') && origin !== MEDLINK_URL)
      complaints.push(`another host: ${request.url()}`);
  });
  return complaints;
}

async function authorize(page) {
  await page.locator('.auth-wrapper .authorize').click();
  const dialog = page.locator('.dialog-ux');
  await dialog.locator('input').first().fill(token);
  await dialog.getByRole('button', { name: 'Apply credentials' }).click();
  await dialog.getByRole('button', { name: 'Close' }).last().click();
}

async function executeUnchanged(operation) {
  await operation.locator('.opblock-summary').click();
  await operation.getByRole('button', { name: 'Try it out' }).click();
  await operation.getByRole('button', { name: 'Execute' }).click();
  const status = operation.locator('.live-responses-table tbody .response-col_status');
  await status.waitFor({ timeout: 15_000 });
  await operation.locator('.live-responses-table').scrollIntoViewIfNeeded();
  return (await status.innerText()).trim().split(/\s/)[0];
}
