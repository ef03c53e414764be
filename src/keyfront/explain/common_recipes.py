"""Recipes for the most common findings, each with a comment on the usual mistake."""

# ruff: noqa: E501  code in other languages keeps its usual line length

from typing import Final, NamedTuple


class Recipe(NamedTuple):
    """The same fix in four languages."""

    python: str
    node: str
    php: str
    terraform: str


COMMON: Final[dict[str, Recipe]] = {
    "milliseconds": Recipe(
        """expires = int(time.time()) + 3600            # not time.time_ns() // 1_000_000, nor * 1000
link = signer.sign_url(url, expires=expires)""",
        """const expires = Math.floor(Date.now() / 1000) + 3600; // Date.now() counts milliseconds
const policy = JSON.stringify({ Statement: [{ Resource: url,
  Condition: { DateLessThan: { "AWS:EpochTime": expires } } }] });
const link = getSignedUrl({ url, policy, keyPairId, privateKey });""",
        """$link = $signer->getSignedUrl($url, time() + 3600); // not round(microtime(true) * 1000)""",
        """locals {
  link_seconds = 3600 # set a duration here; the program that signs adds the current time
}""",
    ),
    "duration": Recipe(
        """from datetime import timedelta
link = signer.sign_url(url, expires=timedelta(hours=1))   # a timedelta is a duration; a number is a time""",
        """const seconds = 3600;
const dateLessThan = new Date(Date.now() + seconds * 1000); // a time: now plus the duration
const link = getSignedUrl({ url, dateLessThan, keyPairId, privateKey });""",
        """$seconds = 3600;
$link = $signer->getSignedUrl($url, time() + $seconds); // now plus the duration""",
        """variable "link_seconds" { # pass a duration to the program; it adds the current time when it signs
  type    = number
  default = 3600
}""",
    ),
    "protocol": Recipe(
        """link = signer.sign_url(url.replace("http://", "https://", 1), expires=timedelta(hours=1))
# behind a proxy, request.scheme may be http: keep the base URL in the settings
either = signer.sign_url(url, expires=timedelta(hours=1), resource="*://" + url.partition("://")[2])""",
        """const https = url.replace(/^http:/, "https:"); // behind a proxy, req.protocol may be http
const link = getSignedUrl({ url: https, dateLessThan, keyPairId, privateKey });""",
        """$https = preg_replace('#^http://#', 'https://', $url); // behind a proxy, $_SERVER['HTTPS'] may be missing
$link = $signer->getSignedUrl($https, time() + 3600);""",
        """# in default_cache_behavior or ordered_cache_behavior: refuses http
viewer_protocol_policy = "https-only\"""",
    ),
    "host-name": Recipe(
        """base = "https://media.example.com"                # the name in the link, not d….cloudfront.net
link = signer.sign_url(f"{base}/book.epub", expires=timedelta(hours=1))""",
        """const base = "https://media.example.com"; // the name in the link, not d….cloudfront.net
const link = getSignedUrl({ url: `${base}/book.epub`, dateLessThan, keyPairId, privateKey });""",
        """$base = 'https://media.example.com'; // the name in the link, not d….cloudfront.net
$link = $signer->getSignedUrl("$base/book.epub", time() + 3600);""",
        """# one name for the program that signs and for the pages with links
output "media_url" {
  value = "https://${tolist(aws_cloudfront_distribution.media.aliases)[0]}"
}""",
    ),
    "origin-host": Recipe(
        """from urllib.parse import urlsplit
origin = "https://files.s3.eu-west-1.amazonaws.com/book.epub"    # the result of storage.url()
link = signer.sign_url("https://media.example.com" + urlsplit(origin).path, expires=timedelta(hours=1))""",
        """const origin = new URL("https://files.s3.eu-west-1.amazonaws.com/book.epub"); // the storage's URL
const link = getSignedUrl({ url: `https://media.example.com${origin.pathname}`, dateLessThan, keyPairId, privateKey });""",
        """$path = parse_url('https://files.s3.eu-west-1.amazonaws.com/book.epub', PHP_URL_PATH);
$link = $signer->getSignedUrl("https://media.example.com$path", time() + 3600);""",
        """output "signed_host" { # not aws_s3_bucket.files.bucket_regional_domain_name
  value = aws_cloudfront_distribution.media.domain_name
}""",
    ),
    "query-added": Recipe(
        """link = signer.sign_url(url + "?lang=en", expires=timedelta(hours=1))      # known parameters: before signing
open_ended = signer.sign_url(url, expires=timedelta(hours=1), resource=url + "*")   # others' parameters: a custom policy""",
        """const policy = JSON.stringify({ Statement: [{ Resource: url + "*", // allows parameters that others add
  Condition: { DateLessThan: { "AWS:EpochTime": Math.floor(Date.now() / 1000) + 3600 } } }] });
const link = getSignedUrl({ url, policy, keyPairId, privateKey }) + "&utm_source=mail";""",
        """$policy = json_encode(['Statement' => [['Resource' => $url . '*',
    'Condition' => ['DateLessThan' => ['AWS:EpochTime' => time() + 3600]]]]], JSON_UNESCAPED_SLASHES);
$link = $signer->getSignedUrl($url, null, $policy) . '&utm_source=mail';""",
        """# keeps such parameters from the origin and out of the cache key:
resource "aws_cloudfront_cache_policy" "files" {
  name = "files"
  parameters_in_cache_key_and_forwarded_to_origin {
    cookies_config { cookie_behavior = "none" }
    headers_config { header_behavior = "none" }
    query_strings_config { query_string_behavior = "none" }
  }
}""",
    ),
    "cookies-raw": Recipe(
        """cookies = signer.sign_cookies("https://media.example.com/course/*", expires=timedelta(hours=2))
for header in cookies.set_cookie_headers(domain="example.com"):
    response.headers.append("Set-Cookie", header)     # response.set_cookie() would quote or sign the values""",
        """const cookies = getSignedCookies({ policy, keyPairId, privateKey });
for (const [name, value] of Object.entries(cookies))
  res.cookie(name, value, { domain: "example.com", path: "/", secure: true, httpOnly: true, encode: String }); // no signed: true""",
        """foreach ($cookieSigner->getSignedCookie($resource, $expires) as $name => $value) {
    setrawcookie($name, $value, ['domain' => 'example.com', 'path' => '/', 'secure' => true, 'httponly' => true]); // not setcookie()
}""",
        """# nothing to set here: CloudFront reads the cookie values as the browser sends them
resource "aws_cloudfront_distribution" "media" {
  aliases = ["media.example.com"]
}""",
    ),
    "cookie-domain": Recipe(
        """cookies = signer.sign_cookies("https://media.example.com/*", expires=timedelta(hours=2))
for header in cookies.set_cookie_headers(domain="example.com"):   # covers www.example.com and media.example.com
    response.headers.append("Set-Cookie", header)""",
        """for (const [name, value] of Object.entries(getSignedCookies({ policy, keyPairId, privateKey })))
  res.cookie(name, value, { domain: "example.com", path: "/", secure: true, sameSite: "lax", encode: String });
// in the page: fetch(url, { credentials: "include" }), <video crossorigin="use-credentials">""",
        """foreach ($cookieSigner->getSignedCookie('https://media.example.com/*', time() + 7200) as $name => $value) {
    setrawcookie($name, $value, ['domain' => 'example.com', 'path' => '/', 'secure' => true]);
}""",
        """resource "aws_cloudfront_distribution" "media" {
  aliases = ["media.example.com"] # no site can set cookies for cloudfront.net
}

resource "aws_route53_record" "media" {
  zone_id = aws_route53_zone.example.zone_id
  name    = "media.example.com"
  type    = "CNAME"
  ttl     = 300
  records = [aws_cloudfront_distribution.media.domain_name]
}""",
    ),
    "spaces": Recipe(
        """from urllib.parse import quote
url = "https://media.example.com/" + quote("my file.pdf")       # %20; quote_plus and urlencode write +
link = signer.sign_url(url, expires=timedelta(hours=1))""",
        """const path = "my file.pdf".split("/").map(encodeURIComponent).join("/"); // %20; URLSearchParams writes +
const link = getSignedUrl({ url: `https://media.example.com/${path}`, dateLessThan, keyPairId, privateKey });""",
        """$url = 'https://media.example.com/' . rawurlencode('my file.pdf'); // %20; urlencode writes +
$link = $signer->getSignedUrl($url, time() + 3600);""",
        """resource "aws_s3_object" "book" {
  bucket = aws_s3_bucket.files.id
  key    = "my-file.pdf" # a name without spaces needs no encoding
}""",
    ),
    "trusted-key": Recipe(
        """# once: keyfront keys upload public_key.pem --name links; keyfront groups add links K…
signer = Signer(os.environ["KEY_PAIR_ID"], SigningKey.load(Path("private_key.pem")))   # the id from the upload
link = signer.sign_url(url, expires=timedelta(hours=1))""",
        """const { KEY_PAIR_ID, PRIVATE_KEY } = process.env; // KEY_PAIR_ID: the public key's id, K…, in a group of this behavior
const link = getSignedUrl({ url, dateLessThan, keyPairId: KEY_PAIR_ID, privateKey: PRIVATE_KEY });""",
        """$signer = new Aws\\CloudFront\\UrlSigner(getenv('KEY_PAIR_ID'), '/run/secrets/private_key.pem');
$link = $signer->getSignedUrl($url, time() + 3600); // KEY_PAIR_ID: the public key's id, K…, in a group of this behavior""",
        """resource "aws_cloudfront_key_group" "links" {
  name  = "links"
  items = [aws_cloudfront_public_key.links.id]
}

# in the behavior of every linked path:
trusted_key_groups = [aws_cloudfront_key_group.links.id]""",
    ),
}
