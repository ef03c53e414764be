// The global objects of CloudFront Functions, around an engine that knows more. The host calls it with the runtime's
// version, whether the context is used for many requests, and the key value store; it returns `load`, `run` and `take`.
// Source: Developer Guide, "JavaScript runtime 1.0 (2.0) features for CloudFront Functions".
(function (second, reused, storeJSON) {
  'use strict';
  const { parse, stringify } = JSON;
  const { construct, ownKeys, deleteProperty } = Reflect;
  const { freeze, defineProperty, getOwnPropertyDescriptor, getPrototypeOf } = Object;
  const { Map, Set, Proxy } = globalThis;
  const toString = String;
  const LOG_CHARACTERS = 10240;
  const FIRST_LINE = 100000; // of this file, as the host loads it: smaller numbers are lines of the function
  let logs = [], logged = 0, origin, finished, outcome;

  const hidden = (target, name, value) =>
    defineProperty(target, name, { value, writable: true, configurable: true, enumerable: false });

  // ---- what the runtime lacks ----
  const denied = function (what) {
    const refuse = function () { throw new TypeError(what + ' is disabled in CloudFront Functions'); };
    return refuse;
  };
  const noFunction = denied('the Function constructor');
  noFunction.prototype = Function.prototype;
  for (const made of [function () {}, async function () {}, function* () {}, async function* () {}])
    hidden(getPrototypeOf(made), 'constructor', noFunction);
  const first = ['Object', 'Error', 'EvalError', 'RangeError', 'ReferenceError', 'SyntaxError', 'TypeError', 'URIError',
    'InternalError', 'Array', 'parseInt', 'parseFloat', 'isNaN', 'isFinite', 'decodeURI', 'decodeURIComponent',
    'encodeURI', 'encodeURIComponent', 'Infinity', 'NaN', 'undefined', 'Number', 'Boolean', 'String', 'Math', 'Symbol',
    'globalThis', 'Date', 'RegExp', 'JSON', 'ArrayBuffer', 'Uint8ClampedArray', 'Int8Array', 'Uint8Array', 'Int16Array',
    'Uint16Array', 'Int32Array', 'Uint32Array', 'Float32Array', 'Float64Array', 'DataView', 'Promise'];
  const kept = second ? first.concat(['AggregateError', 'atob', 'btoa']) : first;
  for (const name of ownKeys(globalThis))
    if (!kept.includes(name)) deleteProperty(globalThis, name);
  hidden(globalThis, 'eval', denied('eval'));
  hidden(globalThis, 'Function', noFunction);
  hidden(globalThis, 'global', globalThis); // the guide does not list it, and people see it

  // The members that the guide lists. Those before `|` are not in it: the engine needs them, or people see them there.
  const typed = getPrototypeOf(Uint8Array);
  const matches = 'a'.matchAll(/a/g);
  const listed = [
    [Object, 'getOwnPropertySymbols | create defineProperties defineProperty freeze getOwnPropertyDescriptor'
      + ' getOwnPropertyNames getPrototypeOf isExtensible isFrozen isSealed keys preventExtensions seal assign entries'
      + ' values is setPrototypeOf', 'getOwnPropertyDescriptors'],
    [Object.prototype, '__proto__ toLocaleString | hasOwnProperty isPrototypeOf propertyIsEnumerable toString valueOf'],
    [String, '| fromCharCode fromCodePoint'],
    [String.prototype, 'charCodeAt toString valueOf | charAt concat indexOf lastIndexOf match replace search slice split'
      + ' substr substring toLowerCase trim toUpperCase codePointAt endsWith includes repeat startsWith padStart padEnd'
      + ' trimStart trimEnd', 'replaceAll'],
    [Number, '| EPSILON MAX_SAFE_INTEGER MIN_SAFE_INTEGER MAX_VALUE MIN_VALUE NaN NEGATIVE_INFINITY POSITIVE_INFINITY'
      + ' isFinite isInteger isNaN isSafeInteger parseInt parseFloat'],
    [Number.prototype, 'toString toLocaleString valueOf | toExponential toFixed toPrecision'],
    [Math, '| E LN10 LN2 LOG10E LOG2E PI SQRT1_2 SQRT2 abs acos acosh asin asinh atan atan2 atanh cbrt ceil clz32 cos cosh'
      + ' exp expm1 floor fround hypot imul log log1p log2 log10 max min pow random round sign sinh sin sqrt tan tanh trunc'],
    [getPrototypeOf(denied), 'toString caller arguments | apply bind call'],
    [JSON, '| parse stringify'],
    [RegExp, '|'],
    [Error, '|'],
    [Array, 'from | isArray of'],
    [Array.prototype, 'toString toLocaleString | concat every filter forEach indexOf join lastIndexOf map pop push reduce'
      + ' reduceRight reverse shift slice some sort splice unshift copyWithin fill find findIndex includes'],
    [typed, '|', 'from of'],
    [typed.prototype, 'buffer byteLength byteOffset toLocaleString | copyWithin fill join set slice subarray toString',
      'every filter find findIndex forEach includes indexOf lastIndexOf map reduce reduceRight reverse some sort'],
    [Uint8Array, 'BYTES_PER_ELEMENT |'],
    [Uint8Array.prototype, 'BYTES_PER_ELEMENT |'],
    [ArrayBuffer, '| isView'],
    [ArrayBuffer.prototype, 'byteLength | slice'],
    [DataView.prototype, 'buffer byteLength byteOffset |', 'getFloat32 getFloat64 getInt16 getInt32 getInt8 getUint16'
      + ' getUint32 getUint8 setFloat32 setFloat64 setInt16 setInt32 setInt8 setUint16 setUint32 setUint8'],
    [Promise, '| reject resolve', 'all allSettled any race'],
    [Promise.prototype, '| catch finally then'],
    [Symbol, 'iterator asyncIterator hasInstance toPrimitive toStringTag species match matchAll replace search split'
      + ' isConcatSpreadable unscopables |', 'for keyFor'],
  ];
  for (const [holder, both, more] of listed) {
    const members = ('constructor prototype length name ' + both + (second && more ? ' ' + more : '')).split(' ');
    for (const name of ownKeys(holder))
      if (typeof name === 'string' && !members.includes(name)) deleteProperty(holder, name);
  }

  // ---- the clock stands still during a run ----
  const RealDate = Date, clock = RealDate.now;
  let now = 0;
  const FixedDate = function Date(...parts) {
    return new.target ? construct(RealDate, parts.length ? parts : [now], new.target) : new RealDate(now).toString();
  };
  FixedDate.prototype = RealDate.prototype;
  hidden(RealDate.prototype, 'constructor', FixedDate);
  for (const name of ['parse', 'UTC']) hidden(FixedDate, name, RealDate[name]);
  hidden(FixedDate, 'now', () => now);
  hidden(globalThis, 'Date', FixedDate);

  // ---- bytes ----
  const DIGITS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';
  const isBytes = (value) => ArrayBuffer.isView(value);
  function utf8(text) {
    const bytes = [];
    for (let i = 0; i < text.length; i++) {
      let c = text.codePointAt(i);
      if (c > 0xffff) i++;
      if (c >= 0xd800 && c < 0xe000) c = 0xfffd;
      if (c < 0x80) bytes.push(c);
      else if (c < 0x800) bytes.push(0xc0 | (c >> 6), 0x80 | (c & 63));
      else if (c < 0x10000) bytes.push(0xe0 | (c >> 12), 0x80 | ((c >> 6) & 63), 0x80 | (c & 63));
      else bytes.push(0xf0 | (c >> 18), 0x80 | ((c >> 12) & 63), 0x80 | ((c >> 6) & 63), 0x80 | (c & 63));
    }
    return bytes;
  }
  function text(bytes) {
    let out = '';
    for (let i = 0; i < bytes.length; ) {
      const b = bytes[i++];
      const more = b < 0x80 ? 0 : b >= 0xc2 && b < 0xe0 ? 1 : b >= 0xe0 && b < 0xf0 ? 2 : b >= 0xf0 && b < 0xf5 ? 3 : -1;
      let c = more <= 0 ? b : b & (0x3f >> more), n = 0;
      while (n < more && (bytes[i + n] & 0xc0) === 0x80) c = (c << 6) | (bytes[i + n++] & 63);
      const least = [0, 0x80, 0x800, 0x10000][more];
      if (more < 0 || n < more || c < least || c > 0x10ffff || (c >= 0xd800 && c < 0xe000)) out += '\ufffd';
      else out += String.fromCodePoint(c);
      i += n;
    }
    return out;
  }
  const encoders = {
    hex: (bytes) => Array.from(bytes, (b) => (b < 16 ? '0' : '') + b.toString(16)).join(''),
    base64: (bytes) => base64(bytes, DIGITS + '+/', '='),
    base64url: (bytes) => base64(bytes, DIGITS + '-_', ''),
    'utf-8': text, utf8: text,
    latin1: (bytes) => Array.from(bytes, (b) => String.fromCharCode(b)).join(''),
  };
  const decoders = {
    hex: (value) => (value.match(/[0-9a-f]{2}/gi) || []).map((pair) => parseInt(pair, 16)),
    base64: unbase64, base64url: unbase64, 'utf-8': utf8, utf8,
    latin1: (value) => Array.from(value, (c) => c.charCodeAt(0) & 255),
  };
  encoders.binary = encoders.ascii = encoders.latin1;
  decoders.binary = decoders.ascii = decoders.latin1;
  function base64(bytes, digits, pad) {
    let out = '';
    for (let i = 0; i < bytes.length; i += 3) {
      const left = bytes.length - i, word = (bytes[i] << 16) | ((bytes[i + 1] || 0) << 8) | (bytes[i + 2] || 0);
      out += digits[word >> 18] + digits[(word >> 12) & 63];
      out += left > 1 ? digits[(word >> 6) & 63] : pad;
      out += left > 2 ? digits[word & 63] : pad;
    }
    return out;
  }
  function unbase64(value) {
    const bytes = [];
    let word = 0, bits = 0;
    for (const c of value) {
      if (c === '=') break;
      const digit = c === '-' ? 62 : c === '_' ? 63 : (DIGITS + '+/').indexOf(c);
      if (digit < 0) continue;
      word = ((word << 6) | digit) & 0xffffff;
      if ((bits += 6) >= 8) bytes.push((word >> (bits -= 8)) & 255);
    }
    return bytes;
  }
  function coder(table, name) {
    const found = table[name === undefined ? 'utf8' : toString(name).toLowerCase()];
    if (!found) throw new TypeError('Unknown encoding: "' + name + '"');
    return found;
  }
  const bytesOf = (data, encoding) => (isBytes(data) ? Array.from(new Uint8Array(data.buffer, data.byteOffset, data.byteLength))
    : coder(decoders, encoding)(toString(data)));

  class Buffer extends Uint8Array {
    static from(data, encoding) {
      const bytes = typeof data === 'string' ? coder(decoders, encoding)(data)
        : data instanceof ArrayBuffer ? new Uint8Array(data) : data;
      const made = new Buffer(bytes.length);
      made.set(bytes);
      return made;
    }
    static alloc(size, fill) { const made = new Buffer(size); if (fill !== undefined) made.fill(fill); return made; }
    static concat(list) { return Buffer.from([].concat(...list.map((each) => Array.from(each)))); }
    static isBuffer(value) { return value instanceof Buffer; }
    static isEncoding(name) { return toString(name).toLowerCase() in encoders; }
    static byteLength(value, encoding) { return typeof value === 'string' ? bytesOf(value, encoding).length : value.byteLength; }
    static compare(a, b) {
      for (let i = 0; i < Math.min(a.length, b.length); i++) if (a[i] !== b[i]) return a[i] < b[i] ? -1 : 1;
      return Math.sign(a.length - b.length);
    }
    toString(encoding, start, end) { return coder(encoders, encoding)(this.subarray(start || 0, end)); }
    toJSON() { return { type: 'Buffer', data: Array.from(this) }; }
    equals(other) { return Buffer.compare(this, other) === 0; }
    slice(start, end) { return this.subarray(start, end); }
    write(value, offset, length, encoding) {
      const bytes = bytesOf(toString(value), encoding).slice(0, length === undefined ? this.length : length);
      this.set(bytes.slice(0, this.length - (offset || 0)), offset || 0);
      return bytes.length;
    }
  }
  // Runtime 1.0 has byte strings in place of Buffer. Those that are not UTF-8 are remembered: `toString` encodes their bytes.
  let byteStrings = new Set();
  const asBytes = (value) => { byteStrings.add(value); return value; };
  const byteString = (bytes) => { const read = text(bytes); return read.includes('\ufffd') ? asBytes(encoders.latin1(bytes)) : read; };
  if (!second) {
    const plain = String.prototype.toString;
    const added = {
      toBytes() { return asBytes(encoders.latin1(utf8(toString(this)))); },
      toUTF8() { return asBytes(encoders.latin1(utf8(toString(this)))); },
      fromUTF8() { return text(decoders.latin1(toString(this))); },
      fromBytes() { return toString(this); },
      toString(encoding) {
        const value = plain.call(this);
        return encoding === undefined ? value : coder(encoders, encoding)(byteStrings.has(value) ? decoders.latin1(value) : utf8(value));
      },
    };
    hidden(String, 'bytesFrom', (data, encoding) => byteString(Array.isArray(data) ? data : bytesOf(data, encoding)));
    for (const name of ownKeys(added)) hidden(String.prototype, name, added[name]);
  }

  // ---- crypto: RFC 1321, RFC 3174, RFC 6234, RFC 2104 ----
  const SINES = Array.from({ length: 64 }, (_, i) => Math.floor(Math.abs(Math.sin(i + 1)) * 4294967296) | 0);
  const TURNS = [7, 12, 17, 22, 5, 9, 14, 20, 4, 11, 16, 23, 6, 10, 15, 21];
  const isPrime = (n) => { for (let i = 2; i * i <= n; i++) if (n % i === 0) return false; return true; };
  const PRIMES = [];
  for (let n = 2; PRIMES.length < 64; n++) if (isPrime(n)) PRIMES.push(n);
  const fraction = (x) => ((x - Math.floor(x)) * 4294967296) | 0;
  const ROUNDS = PRIMES.map((p) => fraction(Math.cbrt(p)));
  const right = (x, n) => (x >>> n) | (x << (32 - n));
  const left = (x, n) => (x << n) | (x >>> (32 - n));
  const hashes = {
    md5: { little: true, words: [0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476], mix(h, w) {
      let [a, b, c, d] = h;
      for (let i = 0; i < 64; i++) {
        const r = i >> 4;
        const f = r === 0 ? (b & c) | (~b & d) : r === 1 ? (d & b) | (~d & c) : r === 2 ? b ^ c ^ d : c ^ (b | ~d);
        const g = r === 0 ? i : r === 1 ? (5 * i + 1) & 15 : r === 2 ? (3 * i + 5) & 15 : (7 * i) & 15;
        const turned = left((a + f + SINES[i] + w[g]) | 0, TURNS[r * 4 + (i & 3)]);
        a = d; d = c; c = b; b = (b + turned) | 0;
      }
      return [a, b, c, d];
    } },
    sha1: { words: [0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476, 0xc3d2e1f0], mix(h, w) {
      let [a, b, c, d, e] = h;
      for (let i = 0; i < 80; i++) {
        if (i > 15) w[i] = left(w[i - 3] ^ w[i - 8] ^ w[i - 14] ^ w[i - 16], 1);
        const f = i < 20 ? ((b & c) | (~b & d)) + 0x5a827999 : i < 40 ? (b ^ c ^ d) + 0x6ed9eba1
          : i < 60 ? ((b & c) | (b & d) | (c & d)) + 0x8f1bbcdc : (b ^ c ^ d) + 0xca62c1d6;
        const next = (left(a, 5) + f + e + w[i]) | 0;
        e = d; d = c; c = left(b, 30); b = a; a = next;
      }
      return [a, b, c, d, e];
    } },
    sha256: { words: PRIMES.slice(0, 8).map((p) => fraction(Math.sqrt(p))), mix(h, w) {
      let [a, b, c, d, e, f, g, k] = h;
      for (let i = 0; i < 64; i++) {
        if (i > 15) {
          const x = w[i - 15], y = w[i - 2];
          w[i] = (w[i - 16] + w[i - 7] + (right(x, 7) ^ right(x, 18) ^ (x >>> 3)) + (right(y, 17) ^ right(y, 19) ^ (y >>> 10))) | 0;
        }
        const s = (k + (right(e, 6) ^ right(e, 11) ^ right(e, 25)) + ((e & f) ^ (~e & g)) + ROUNDS[i] + w[i]) | 0;
        const t = ((right(a, 2) ^ right(a, 13) ^ right(a, 22)) + ((a & b) ^ (a & c) ^ (b & c))) | 0;
        k = g; g = f; f = e; e = (d + s) | 0; d = c; c = b; b = a; a = (s + t) | 0;
      }
      return [a, b, c, d, e, f, g, k];
    } },
  };
  function hashed(kind, message) {
    const bytes = message.concat([0x80]), bits = message.length * 8;
    while (bytes.length % 64 !== 56) bytes.push(0);
    const size = [0, 0, 0, Math.floor(bits / 4294967296) & 255, bits >>> 24, (bits >>> 16) & 255, (bits >>> 8) & 255, bits & 255];
    bytes.push(...(kind.little ? size.reverse() : size));
    let h = kind.words.map((word) => word | 0);
    const order = kind.little ? [3, 2, 1, 0] : [0, 1, 2, 3];
    for (let at = 0; at < bytes.length; at += 64) {
      const w = [];
      for (let i = at; i < at + 64; i += 4)
        w.push((bytes[i + order[0]] << 24) | (bytes[i + order[1]] << 16) | (bytes[i + order[2]] << 8) | bytes[i + order[3]]);
      h = kind.mix(h, w).map((word, i) => (word + h[i]) | 0);
    }
    return [].concat(...h.map((word) => order.map((i) => (word >>> (24 - 8 * i)) & 255)));
  }
  function algorithm(name) {
    const kind = hashes[toString(name).toLowerCase()];
    if (!kind) throw new TypeError('not supported algorithm: "' + name + '"');
    return kind;
  }
  class Hash {
    #kind; #bytes = []; #finish; #done = false;
    constructor(kind, finish) { this.#kind = kind; this.#finish = finish; }
    update(data, encoding) {
      if (this.#done) throw new Error('Digest already called');
      this.#bytes = this.#bytes.concat(bytesOf(data, encoding));
      return this;
    }
    digest(encoding) {
      if (this.#done) throw new Error('Digest already called');
      this.#done = true;
      const bytes = this.#finish(this.#kind, this.#bytes);
      if (encoding !== undefined) return coder(encoders, encoding)(bytes);
      return second ? Buffer.from(bytes) : byteString(bytes);
    }
  }
  const crypto = {
    createHash(name) { return new Hash(algorithm(name), hashed); },
    createHmac(name, key) {
      const kind = algorithm(name);
      let bytes = bytesOf(key);
      if (bytes.length > 64) bytes = hashed(kind, bytes);
      while (bytes.length < 64) bytes.push(0);
      return new Hash(kind, (_, data) => hashed(kind, bytes.map((b) => b ^ 0x5c).concat(
        hashed(kind, bytes.map((b) => b ^ 0x36).concat(data)))));
    },
  };

  // ---- querystring ----
  const escape = (value) => encodeURIComponent(value);
  const unescape = (value) => { try { return decodeURIComponent(value); } catch (_) { return value; } };
  const querystring = {
    escape, unescape,
    parse(value, separator, equals, options) {
      const read = {}, limit = options && options.maxKeys !== undefined ? options.maxKeys : 1000;
      const decode = (options && options.decodeURIComponent) || querystring.unescape;
      const parts = toString(value).split(separator || '&').filter((part) => part !== '');
      for (const part of limit > 0 ? parts.slice(0, limit) : parts) {
        const sign = equals || '=', at = part.indexOf(sign);
        const name = decode((at < 0 ? part : part.slice(0, at)).replace(/\+/g, ' '));
        const content = at < 0 ? '' : decode(part.slice(at + sign.length).replace(/\+/g, ' '));
        if (!Object.prototype.hasOwnProperty.call(read, name)) hiddenless(read, name, content);
        else if (Array.isArray(read[name])) read[name].push(content);
        else read[name] = [read[name], content];
      }
      return read;
    },
    stringify(values, separator, equals, options) {
      const encode = (options && options.encodeURIComponent) || querystring.escape;
      const shown = (value) => ['string', 'number', 'boolean'].includes(typeof value) ? encode(toString(value)) : '';
      return Object.keys(values || {}).map((name) => [].concat(values[name]).map((value) =>
        encode(name) + (equals || '=') + shown(value)).join(separator || '&')).join(separator || '&');
    },
  };
  const hiddenless = (target, name, value) =>
    defineProperty(target, name, { value, writable: true, configurable: true, enumerable: true });
  querystring.decode = querystring.parse;
  querystring.encode = querystring.stringify;

  class TextEncoder { get encoding() { return 'utf-8'; } encode(value) { return new Uint8Array(utf8(value === undefined ? '' : toString(value))); } }
  class TextDecoder {
    constructor(label) { if (label !== undefined && !/^utf-?8$/i.test(label)) throw new RangeError('The "' + label + '" encoding is not supported'); }
    get encoding() { return 'utf-8'; }
    decode(value) { return value === undefined ? '' : text(bytesOf(value)); }
  }

  // ---- console ----
  const shown = (value) => {
    if (typeof value !== 'object' || value === null) return toString(value);
    if (value instanceof Error) return toString(value.stack ? value + '\n' + value.stack : value);
    try { const json = stringify(value); return json === undefined ? toString(value) : json; } catch (_) { return '[object]'; }
  };
  // The guide: "doesn't support comma syntax". Assumed: the first value is logged, and the others are not.
  const log = (value) => {
    const line = shown(value).slice(0, LOG_CHARACTERS - logged);
    logged += line.length;
    if (line || logged < LOG_CHARACTERS) logs[logs.length] = line;
  };
  const console = { log };

  // ---- the cloudfront module ----
  const store = storeJSON === null ? null : parse(storeJSON);
  const values = store && new Map(store.values);
  const told = (name, value) => {
    if (value === null || typeof value !== 'object') throw new TypeError(name + '() needs an object');
    return value;
  };
  const cloudfront = {
    kvs(id) {
      if (!store) throw new Error('KvsError: no key value store is associated with this function');
      if (id !== undefined && id !== store.id) throw new Error('KvsError: the key value store "' + id + '" is not associated with this function');
      const check = (key) => { if (typeof key !== 'string') throw new TypeError('KvsError: the key must be a string'); };
      return {
        async get(key, options) {
          check(key);
          const format = (options && options.format) || 'string';
          if (!['string', 'json', 'bytes'].includes(format)) throw new TypeError('KvsError: unknown format "' + format + '"');
          if (!values.has(key)) throw new Error('KvsError: key not found: "' + key + '"');
          const value = values.get(key);
          return format === 'json' ? parse(value) : format === 'bytes' ? Buffer.from(value) : value;
        },
        async exists(key) { check(key); return values.has(key); },
        async count() { return values.size; },
        async meta() { return { creationDateTime: store.created, lastUpdatedDateTime: store.modified, keyCount: values.size }; },
      };
    },
    updateRequestOrigin(settings) { origin = { update: told('updateRequestOrigin', settings) }; },
    selectRequestOriginById(id, settings) { origin = { select: toString(id), update: settings || {} }; },
    createRequestOriginGroup(settings) { origin = { group: told('createRequestOriginGroup', settings) }; },
  };
  const cf = new Proxy(freeze(cloudfront), {
    get(target, name) {
      if (name in target || typeof name === 'symbol' || name === 'then' || name === 'toJSON') return target[name];
      throw new TypeError('the module cloudfront has no method "' + name + '" here');
    },
  });

  const modules = { crypto, querystring };
  if (second) Object.assign(modules, { buffer: { Buffer }, cloudfront: cf });
  const require = (name) => {
    if (ownKeys(modules).includes(name)) return modules[name];
    throw new Error('Cannot find module "' + name + '": CloudFront Functions has ' + ownKeys(modules).join(', '));
  };
  const added = { console, require, TextEncoder, TextDecoder };
  if (second) added.Buffer = Buffer;
  for (const name of ownKeys(added)) hidden(globalThis, name, added[name]);

  // ---- reuse: nothing that one request does is seen by the next ----
  // A frozen prototype would keep objects from having own properties of the same names, so these are accessors.
  function assignable(holder) {
    for (const name of ownKeys(holder)) {
      const found = getOwnPropertyDescriptor(holder, name);
      if (!('value' in found) || !found.configurable) continue;
      const { value } = found;
      defineProperty(holder, name, { enumerable: found.enumerable, configurable: false, get() { return value; },
        set(own) { if (this === holder) throw new TypeError(toString(name) + ' is read-only'); hiddenless(this, name, own); } });
    }
  }
  function frozen(value, seen) {
    if (value === null || (typeof value !== 'object' && typeof value !== 'function') || seen.has(value)) return;
    seen.add(value);
    for (const name of ownKeys(value)) {
      const found = getOwnPropertyDescriptor(value, name);
      for (const part of [found.value, found.get, found.set]) frozen(part, seen);
    }
    frozen(getPrototypeOf(value), seen);
    freeze(value);
  }
  const globals = globalThis;
  if (reused) {
    const seen = new Set();
    const iterators = [[][Symbol.iterator](), ''[Symbol.iterator](), matches, new Map().entries(), new Set().values()];
    for (const holder of [Object, Function, Error, EvalError, RangeError, ReferenceError, SyntaxError, TypeError, URIError])
      assignable(holder === Function ? getPrototypeOf(log) : holder.prototype);
    seen.add(globals);
    for (const made of [...iterators, async function () {}, function* () {}, async function* () {}, (function* () {})(),
      (async function* () {})(), Map.prototype, Set.prototype, modules, Hash, Buffer]) frozen(made, seen);
    for (const name of ownKeys(globals)) {
      frozen(globals[name], seen);
      const found = getOwnPropertyDescriptor(globals, name);
      if (found.configurable) defineProperty(globals, name, { value: globals[name], writable: false, configurable: false });
    }
  }
  const known = new Set(ownKeys(globals));

  let factory;
  const failed = (error) => {
    let message = 'unknown error';
    try {
      message = error instanceof Error ? toString(error) : 'Uncaught ' + shown(error);
      const frames = error instanceof Error ? toString(error.stack).match(/<input>:\d+/g) || [] : [];
      const line = frames.map((frame) => +frame.slice(8)).find((each) => each < FIRST_LINE);
      if (line) message += ' at line ' + line;
      // What the engine throws where it has no memory left for an error.
      if (message === 'Uncaught null' || message === 'Uncaught [uninitialized]') message += ': perhaps out of memory';
    } catch (_) { /* an error whose own text throws */ }
    outcome = { error: message };
    finished = true;
  };
  const done = (value) => {
    try { outcome = { json: stringify(value) }; finished = true; } catch (error) { failed(error); }
  };
  return {
    load(made) { factory = made; },
    run(eventJSON) {
      logs = []; logged = 0; origin = undefined; finished = false; outcome = undefined; byteStrings = new Set(); now = clock();
      try {
        const handler = factory();
        if (typeof handler !== 'function') throw new ReferenceError('the function has no function named handler');
        const made = handler(parse(eventJSON));
        if (made instanceof Promise) made.then(done, failed);
        else done(made);
      } catch (error) { failed(error); }
    },
    take() {
      let clean = true;
      const names = ownKeys(globals);
      if (names.length !== known.size)
        for (const name of names) if (!known.has(name) && !deleteProperty(globals, name)) clean = false;
      const parts = ['"clean":' + clean, '"logs":' + stringify(logs)];
      if (!finished) parts.push('"error":"the promise that the function returned is never settled"');
      else if (outcome.error !== undefined) parts.push('"error":' + stringify(outcome.error));
      else if (outcome.json === undefined) parts.push('"value":null');
      else parts.push('"value":' + outcome.json);
      if (origin !== undefined) parts.push('"origin":' + stringify(origin));
      return parts.join(','); // joined, since the host cannot take a long string that was added up
    },
  };
})
