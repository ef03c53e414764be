// A path without a file name extension is a page of the application, and the application is index.html.
// CloudFront checked the signature of the viewer's URL before. It does not check the one that is made here.
function handler(event) {
  const request = event.request;
  const last = request.uri.slice(request.uri.lastIndexOf('/') + 1);
  if (!last.includes('.')) {
    request.uri = '/index.html';
  }
  return request;
}
