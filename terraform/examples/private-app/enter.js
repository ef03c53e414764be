// GET /enter/TOKEN: sets the signed cookies that the token stands for, and leads to the application.
// OPTIONS: a preflight has no cookies, so it is answered here, in a behavior without key groups.
import cf from 'cloudfront';

const tokens = cf.kvs();
const ATTRIBUTES = 'Path=/; Secure; HttpOnly; SameSite=Lax';
const NEVER_STORED = { 'cache-control': { value: 'no-store' } };

async function handler(event) {
  const request = event.request;
  if (request.method === 'OPTIONS') {
    return { statusCode: 204, headers: Object.assign({ allow: { value: 'GET, HEAD, OPTIONS' } }, NEVER_STORED) };
  }
  let values;
  try {
    values = await tokens.get(request.uri.slice('/enter/'.length), { format: 'json' });
  } catch (error) {
    return { statusCode: 404, headers: NEVER_STORED, body: 'This link is not valid.\n' };
  }
  const cookies = {};
  for (const name of Object.keys(values)) {
    cookies[name] = { value: values[name], attributes: ATTRIBUTES };
  }
  return { statusCode: 303, headers: Object.assign({ location: { value: '/' } }, NEVER_STORED), cookies };
}
