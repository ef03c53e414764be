// POST /session asks for cookies. A browser on another host asks with OPTIONS before: that is answered here.
// This works because the behavior of /session has no key groups. In a behavior with key groups CloudFront refuses a
// preflight before any function runs, since a preflight has no cookies.
const ALLOWED_ORIGIN = 'https://www.example.com';

function handler(event) {
  const request = event.request;
  if (request.method === 'OPTIONS') {
    return {
      statusCode: 204,
      headers: {
        'access-control-allow-origin': { value: ALLOWED_ORIGIN },
        'access-control-allow-credentials': { value: 'true' },
        'access-control-allow-methods': { value: 'POST' },
        'access-control-allow-headers': { value: 'x-access-code' },
        'access-control-max-age': { value: '600' },
        vary: { value: 'Origin' },
      },
    };
  }
  // The function URL gets its own Host. It needs the viewer's for the policy of the cookies.
  request.headers['x-viewer-host'] = { value: request.headers.host.value };
  return request;
}
