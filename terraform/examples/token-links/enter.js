// GET /enter/TOKEN: sets the signed cookies that the token stands for, and leads to the content.
import cf from 'cloudfront';

const tokens = cf.kvs();
const ATTRIBUTES = 'Path=/; Secure; HttpOnly; SameSite=Lax';
const NEVER_STORED = { 'cache-control': { value: 'no-store' } };

async function handler(event) {
  let values;
  try {
    values = await tokens.get(event.request.uri.slice('/enter/'.length), { format: 'json' });
  } catch (error) {
    return { statusCode: 404, headers: NEVER_STORED, body: 'This link is not valid.\n' };
  }
  const cookies = {};
  Object.keys(values).forEach((name) => {
    cookies[name] = { value: values[name], attributes: ATTRIBUTES };
  });
  return { statusCode: 303, headers: Object.assign({ location: { value: '/' } }, NEVER_STORED), cookies };
}
