"""The recipes: code that fixes a finding, in four languages. `docs/findings.md` shows each recipe once."""

# ruff: noqa: E501  code in other languages keeps its usual line length

from typing import Final

from keyfront.explain.common_recipes import COMMON, Recipe

_KEY_TERRAFORM: Final = """resource "aws_cloudfront_public_key" "links" {
  name        = "links"
  encoded_key = file("public_key.pem")
}

output "key_pair_id" { # the signer sends it as Key-Pair-Id
  value = aws_cloudfront_public_key.links.id
}"""

_GROUP_TERRAFORM: Final = """resource "aws_cloudfront_key_group" "links" {
  name  = "links"
  items = [aws_cloudfront_public_key.links.id]
}

# in aws_cloudfront_distribution, in default_cache_behavior or ordered_cache_behavior:
trusted_key_groups = [aws_cloudfront_key_group.links.id]"""

_SIGN_NODE: Final = """import { getSignedUrl } from "@aws-sdk/cloudfront-signer";
const link = getSignedUrl({
  url: "https://media.example.com/book.epub",
  keyPairId: process.env.KEY_PAIR_ID, privateKey: process.env.PRIVATE_KEY,
  dateLessThan: new Date(Date.now() + 3600_000), // the SDK converts it to seconds
});"""

_SIGN_PHP: Final = """$signer = new Aws\\CloudFront\\UrlSigner($keyPairId, '/run/secrets/private_key.pem');
$link = $signer->getSignedUrl('https://media.example.com/book.epub', time() + 3600);"""

_NAME_TERRAFORM: Final = """# the host name for the program that signs
output "media_url" {
  value = "https://${tolist(aws_cloudfront_distribution.media.aliases)[0]}"
}"""

RECIPES: Final[dict[str, Recipe]] = {
    **COMMON,
    "expiry": Recipe(
        """from datetime import timedelta
link = signer.sign_url(url, expires=timedelta(hours=1))   # or int(time.time()) + 3600""",
        """const expires = Math.floor(Date.now() / 1000) + 3600; // seconds, not milliseconds""",
        """$expires = time() + 3600; // seconds since 1970; not microtime()""",
        """# The program that signs calculates the expiry. Set only a duration here, in seconds:
environment { variables = { LINK_SECONDS = 3600 } }""",
    ),
    "sign-url": Recipe(
        """from keyfront import Signer, SigningKey
signer = Signer("K2JCJMDEHXQW5F", SigningKey.load(Path("private_key.pem")))
link = signer.sign_url("https://media.example.com/book.epub?lang=en", expires=timedelta(hours=1))
# add parameters before signing; redirect to `link` unchanged""",
        _SIGN_NODE,
        _SIGN_PHP,
        _GROUP_TERRAFORM,
    ),
    "key-pair-id": Recipe(
        """signer = Signer(os.environ["KEY_PAIR_ID"], SigningKey.load(Path("private_key.pem")))
# keyfront keys list shows each key's id and fingerprint""",
        """const { KEY_PAIR_ID, PRIVATE_KEY } = process.env;
if (!KEY_PAIR_ID || !PRIVATE_KEY) throw new Error("set KEY_PAIR_ID and PRIVATE_KEY, from the same key pair");""",
        """$keyPairId = getenv('KEY_PAIR_ID') ?: throw new RuntimeException('KEY_PAIR_ID is not set');""",
        _KEY_TERRAFORM,
    ),
    "trusted-group": Recipe(
        """# keyfront groups add links K2JCJMDEHXQW5F
client = boto3.client("cloudfront")
found = client.get_key_group_config(Id=group_id)
config = found["KeyGroupConfig"]
config["Items"].append("K2JCJMDEHXQW5F")
client.update_key_group(Id=group_id, IfMatch=found["ETag"], KeyGroupConfig=config)""",
        """const found = await client.send(new GetKeyGroupConfigCommand({ Id }));
found.KeyGroupConfig.Items.push("K2JCJMDEHXQW5F");
await client.send(new UpdateKeyGroupCommand({ Id, IfMatch: found.ETag, KeyGroupConfig: found.KeyGroupConfig }));""",
        """$found = $client->getKeyGroupConfig(['Id' => $id]);
$config = $found['KeyGroupConfig'];
$config['Items'][] = 'K2JCJMDEHXQW5F';
$client->updateKeyGroup(['Id' => $id, 'IfMatch' => $found['ETag'], 'KeyGroupConfig' => $config]);""",
        _GROUP_TERRAFORM,
    ),
    "encoding": Recipe(
        """text = base64.b64encode(data).decode().translate(str.maketrans("+=/", "-_~"))   # not urlsafe_b64encode""",
        """const text = data.toString("base64").replace(/[+=/]/g, (c) => ({ "+": "-", "=": "_", "/": "~" })[c]);""",
        """$text = strtr(base64_encode($data), '+=/', '-_~');""",
        """locals { # encodes a policy; Terraform cannot make a signature
  policy = replace(replace(replace(base64encode(local.json), "+", "-"), "=", "_"), "/", "~")
}""",
    ),
    "ecdsa": Recipe(
        """signature = SigningKey.load(Path("private_key.pem")).sign(policy)   # ASN.1, as CloudFront expects
# from raw r||s: cryptography's utils.encode_dss_signature(r, s)""",
        """import { sign } from "node:crypto";
const signature = sign("sha1", policy, { key, dsaEncoding: "der" }); // not "ieee-p1363"; Web Crypto gives r||s""",
        """openssl_sign($policy, $signature, $key, OPENSSL_ALGO_SHA1); // gives ASN.1""",
        """resource "tls_private_key" "links" { # for tests only: the state contains the key
  algorithm   = "ECDSA"
  ecdsa_curve = "P256"
}""",
    ),
    "hash": Recipe(
        """signer = Signer(key_pair_id, key, hash_algorithm="SHA256")   # adds Hash-Algorithm=SHA256; SHA1 is the default""",
        """const signature = createSign("RSA-SHA1").update(policy).sign(key); // or RSA-SHA256 and &Hash-Algorithm=SHA256""",
        """openssl_sign($policy, $signature, $key, OPENSSL_ALGO_SHA1); // or SHA256 and &Hash-Algorithm=SHA256""",
        """# AWS KMS signs only with SHA-256, so the program must send Hash-Algorithm=SHA256
resource "aws_kms_key" "links" {
  customer_master_key_spec = "RSA_2048"
  key_usage                = "SIGN_VERIFY"
}""",
    ),
    "policy": Recipe(
        """policy = Policy.custom("https://media.example.com/42/*", expires=timedelta(hours=1), now=time.time())
data = policy.to_bytes()          # sign and encode these same bytes
# by hand: json.dumps(document, separators=(",", ":")).encode()""",
        """const data = JSON.stringify({ Statement: [{ Resource: "https://media.example.com/42/*",
  Condition: { DateLessThan: { "AWS:EpochTime": Math.floor(Date.now() / 1000) + 3600 } } }] }); // sign and send this same text""",
        """$data = json_encode(['Statement' => [['Resource' => 'https://media.example.com/42/*',
    'Condition' => ['DateLessThan' => ['AWS:EpochTime' => time() + 3600]]]]], JSON_UNESCAPED_SLASHES);""",
        """# A link's policy is not an IAM policy, so aws_iam_policy_document cannot make it. The program that signs builds it.
output "resource" { value = "https://media.example.com/42/*" }""",
    ),
    "resource": Recipe(
        """link = signer.sign_url("https://media.example.com/book.epub", expires=timedelta(hours=1))
# https, and the host in the link: not the bucket, not another name of the distribution""",
        _SIGN_NODE,
        _SIGN_PHP,
        _NAME_TERRAFORM,
    ),
    "percent-encoding": Recipe(
        """from urllib.parse import quote
url = "https://media.example.com/" + quote("my file (1).pdf", safe="/")
link = signer.sign_url(url, expires=timedelta(hours=1))       # encode first, then sign""",
        """const encode = (text) => encodeURIComponent(text).replace(/[!'()*]/g, (c) => "%" + c.charCodeAt(0).toString(16).toUpperCase());
const url = "https://media.example.com/" + key.split("/").map(encode).join("/"); // then sign url""",
        """$url = 'https://media.example.com/' . implode('/', array_map('rawurlencode', explode('/', $key))); // then sign $url""",
        """# These characters need no encoding: letters, digits, - _ . /
resource "aws_s3_object" "book" {
  key = "books/my-file-1.pdf"
}""",
    ),
    "wildcard": Recipe(
        """link = signer.sign_url(url, expires=timedelta(hours=1), resource="https://media.example.com/course/42/*")""",
        """const policy = JSON.stringify({ Statement: [{ Resource: "https://media.example.com/course/42/*",
  Condition: { DateLessThan: { "AWS:EpochTime": Math.floor(Date.now() / 1000) + 3600 } } }] });
const link = getSignedUrl({ url, policy, keyPairId, privateKey }); // policy, not dateLessThan""",
        """$policy = json_encode(['Statement' => [['Resource' => 'https://media.example.com/course/42/*',
    'Condition' => ['DateLessThan' => ['AWS:EpochTime' => time() + 3600]]]]], JSON_UNESCAPED_SLASHES);
$link = $signer->getSignedUrl($url, null, $policy);""",
        _NAME_TERRAFORM,
    ),
    "address": Recipe(
        """link = signer.sign_url(url, expires=timedelta(hours=1), ip="192.0.2.0/24")   # or leave ip out""",
        """const link = getSignedUrl({ url, keyPairId, privateKey, dateLessThan, ipAddress: "192.0.2.0/24" }); // or leave it out""",
        """$condition['IpAddress'] = ['AWS:SourceIp' => '192.0.2.0/24']; // or leave it out""",
        """resource "aws_cloudfront_distribution" "media" {
  is_ipv6_enabled = false # if links must restrict addresses
}""",
    ),
    "sign-cookies": Recipe(
        """cookies = signer.sign_cookies("https://media.example.com/course/*", expires=timedelta(hours=2))
for header in cookies.set_cookie_headers(domain="example.com"):   # Path=/; Secure; HttpOnly
    response.headers.append("Set-Cookie", header)                 # unchanged: not set_cookie()""",
        """const cookies = getSignedCookies({ policy, keyPairId, privateKey });
for (const [name, value] of Object.entries(cookies))
  res.cookie(name, value, { domain: "example.com", path: "/", secure: true, httpOnly: true, encode: String });""",
        """foreach ($cookieSigner->getSignedCookie($resource, $expires) as $name => $value) {
    setrawcookie($name, $value, ['domain' => 'example.com', 'path' => '/', 'secure' => true, 'httponly' => true]);
}""",
        """resource "aws_cloudfront_distribution" "media" {
  aliases = ["media.example.com"] # under the domain of the site that sets the cookies
}""",
    ),
    "host": Recipe(
        """config = client.get_distribution_config(Id=distribution_id)["DistributionConfig"]
print(config["Enabled"], config["Aliases"], config["CustomErrorResponses"], config["Restrictions"], config["WebACLId"])""",
        """const { DistributionConfig: c } = await client.send(new GetDistributionConfigCommand({ Id }));
console.log(c.Enabled, c.Aliases, c.CustomErrorResponses, c.Restrictions, c.WebACLId);""",
        """$c = $client->getDistributionConfig(['Id' => $id])['DistributionConfig'];
var_dump($c['Enabled'], $c['Aliases'], $c['CustomErrorResponses'], $c['Restrictions'], $c['WebACLId']);""",
        """resource "aws_cloudfront_distribution" "media" {
  enabled = true
  aliases = ["media.example.com"]
  viewer_certificate {
    acm_certificate_arn = aws_acm_certificate.media.arn # from us-east-1
    ssl_support_method  = "sni-only"
  }
}""",
    ),
    "origin-access": Recipe(
        """s3.put_bucket_policy(Bucket=bucket, Policy=json.dumps({"Version": "2012-10-17", "Statement": [{
    "Effect": "Allow", "Principal": {"Service": "cloudfront.amazonaws.com"}, "Action": "s3:GetObject",
    "Resource": f"arn:aws:s3:::{bucket}/*", "Condition": {"StringEquals": {"AWS:SourceArn": distribution_arn}}}]}))""",
        """await s3.send(new PutBucketPolicyCommand({ Bucket, Policy: JSON.stringify({ Version: "2012-10-17", Statement: [{
  Effect: "Allow", Principal: { Service: "cloudfront.amazonaws.com" }, Action: "s3:GetObject",
  Resource: `arn:aws:s3:::${Bucket}/*`, Condition: { StringEquals: { "AWS:SourceArn": distributionArn } } }] }) }));""",
        """$s3->putBucketPolicy(['Bucket' => $bucket, 'Policy' => json_encode(['Version' => '2012-10-17', 'Statement' => [[
    'Effect' => 'Allow', 'Principal' => ['Service' => 'cloudfront.amazonaws.com'], 'Action' => 's3:GetObject',
    'Resource' => "arn:aws:s3:::$bucket/*", 'Condition' => ['StringEquals' => ['AWS:SourceArn' => $arn]]]]])]);""",
        """resource "aws_cloudfront_origin_access_control" "media" {
  name                              = "media"
  origin_access_control_origin_type = "s3"
  signing_behavior                  = "always"
  signing_protocol                  = "sigv4"
}
# in the distribution's origin: origin_access_control_id = aws_cloudfront_origin_access_control.media.id

data "aws_iam_policy_document" "media" {
  statement {
    actions   = ["s3:GetObject"]
    resources = ["${aws_s3_bucket.media.arn}/*"]
    principals {
      type        = "Service"
      identifiers = ["cloudfront.amazonaws.com"]
    }
    condition {
      test     = "StringEquals"
      variable = "AWS:SourceArn"
      values   = [aws_cloudfront_distribution.media.arn]
    }
  }
}""",
    ),
    "kms-key": Recipe(
        """policy = json.loads(kms.get_key_policy(KeyId=key_id)["Policy"])
policy["Statement"].append({
    "Effect": "Allow", "Principal": {"Service": "cloudfront.amazonaws.com"}, "Action": "kms:Decrypt", "Resource": "*",
    "Condition": {"StringEquals": {"AWS:SourceArn": distribution_arn}}})
kms.put_key_policy(KeyId=key_id, Policy=json.dumps(policy))""",
        """const { Policy } = await client.send(new GetKeyPolicyCommand({ KeyId }));
const policy = JSON.parse(Policy);
policy.Statement.push({
  Effect: "Allow", Principal: { Service: "cloudfront.amazonaws.com" }, Action: "kms:Decrypt", Resource: "*",
  Condition: { StringEquals: { "AWS:SourceArn": distributionArn } } });
await client.send(new PutKeyPolicyCommand({ KeyId, Policy: JSON.stringify(policy) }));""",
        """$policy = json_decode($kms->getKeyPolicy(['KeyId' => $keyId])['Policy'], true);
$policy['Statement'][] = [
    'Effect' => 'Allow', 'Principal' => ['Service' => 'cloudfront.amazonaws.com'], 'Action' => 'kms:Decrypt',
    'Resource' => '*', 'Condition' => ['StringEquals' => ['AWS:SourceArn' => $distributionArn]]];
$kms->putKeyPolicy(['KeyId' => $keyId, 'Policy' => json_encode($policy)]);""",
        """data "aws_iam_policy_document" "key" { # beside the statement for the account's own administrators
  statement {
    actions   = ["kms:Decrypt"]
    resources = ["*"]
    principals {
      type        = "Service"
      identifiers = ["cloudfront.amazonaws.com"]
    }
    condition {
      test     = "StringEquals"
      variable = "AWS:SourceArn"
      values   = [aws_cloudfront_distribution.media.arn]
    }
  }
}""",
    ),
    "regional-origin": Recipe(
        """region = s3.get_bucket_location(Bucket=bucket)["LocationConstraint"] or "us-east-1"
origin = f"{bucket}.s3.{region}.amazonaws.com"  # the DomainName of the distribution's origin""",
        """const { LocationConstraint } = await s3.send(new GetBucketLocationCommand({ Bucket }));
const origin = `${Bucket}.s3.${LocationConstraint ?? "us-east-1"}.amazonaws.com`; // the origin's DomainName""",
        """$region = $s3->getBucketLocation(['Bucket' => $bucket])['LocationConstraint'] ?: 'us-east-1';
$origin = "$bucket.s3.$region.amazonaws.com"; // the DomainName of the distribution's origin""",
        """origin {
  origin_id   = "media"
  domain_name = aws_s3_bucket.media.bucket_regional_domain_name # not bucket_domain_name
}""",
    ),
}
