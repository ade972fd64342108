// Random inputs and what @scure/bip39, @scure/bip32 and micro-key-producer make of them, one
// case a line for peers_test:
//   mnemonic | passphrase (hex of its UTF-8) | seed | Ed25519 path | secret | chain code | public key
//   | secp256k1 path | xprv | xpub | length | site password
// Usage: node peers.mjs NODE_MODULES SEED COUNT
import { createHash, webcrypto } from 'node:crypto';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

const [modules, seedText, countText] = process.argv.slice(2);
globalThis.crypto ??= webcrypto; // Node.js 18 does not offer it by itself
const load = (path) => import(pathToFileURL(join(modules, path)).href);
const bip39 = await load('@scure/bip39/index.js');
const { wordlist } = await load('@scure/bip39/wordlists/english.js');
const bip32 = await load('@scure/bip32/index.js');
const slip10 = await load('micro-key-producer/slip10.js');
const { hmac } = await load('@noble/hashes/hmac.js');
const { sha512 } = await load('@noble/hashes/sha2.js');

// A generator that the seed determines, so that a failure can be run again.
let counter = 0;
const bytes = (n) => {
  const blocks = [];
  for (let have = 0; have < n; have += 64)
    blocks.push(createHash('sha512').update(`${seedText}/${counter++}`).digest());
  return new Uint8Array(Buffer.concat(blocks).subarray(0, n));
};
const below = (n) => Buffer.from(bytes(6)).readUIntBE(0, 6) % n;
const pick = (list) => list[below(list.length)];
const hex = (data) => Buffer.from(data).toString('hex');

// Letters that normalise to themselves, that decompose, that combine in any order, that are
// compatible with others, and that lie outside the basic plane.
const pieces = [
  'a', 'Z', '7', ' ', '"', '|', 'é', 'e\u0301', 'Å', '\u212b', 'ñ', 'ü', 'ß', 'ﬁ', '①', '²', '½', '㍿',
  '\u3000', '\u00a0', 'ｗｉｄｅ', 'ｱ', '각', '\u1100\u1161\u11a8', '漢', '\u0323\u0307', '\u0307\u0323', '\u0345',
  'ọ̈', 'क़', 'ﷺ', 'ſ', 'Ⅳ', 'ϓ', '𝔘', '🔑', '👩‍👩‍👧', '🇩🇪', '❤️', '🏽', '\u200d', '\u0600',
];
const passphrase = () => Array.from({ length: below(24) }, () => pick(pieces)).join('');

const path = (hardenedOnly) => {
  const depth = pick([0, 1, 2, 3, 4, 5, 5, 8, 13, 32]);
  let text = 'm';
  for (let i = 0; i < depth; i++) {
    const index = pick([0, 1, below(100), below(2 ** 31), 2 ** 31 - 1]);
    text += `/${index}${hardenedOnly || below(2) ? "'" : ''}`;
  }
  return text;
};

// docs/secret.md, "Site passwords"
function sitePassword(key, length) {
  const isEach = [/[a-z]/, /[A-Z]/, /[0-9]/, /[^a-zA-Z0-9]/];
  let stream = [];
  for (let counter = 0, out = ''; ; ) {
    if (stream.length === 0) {
      const tail = Buffer.alloc(5);
      tail.writeUInt8(length, 0);
      tail.writeUInt32BE(counter++, 1);
      stream = [...hmac(sha512, key, Buffer.concat([Buffer.from('alknet site password'), tail]))];
    }
    const byte = stream.shift();
    if (byte < 188) out += String.fromCharCode(0x21 + (byte % 94));
    if (out.length < length) continue;
    if (isEach.every((one) => one.test(out))) return out;
    out = '';
  }
}

for (let i = 0; i < Number(countText); i++) {
  const entropy = bytes(pick([16, 20, 24, 28, 32]));
  const mnemonic = bip39.entropyToMnemonic(entropy, wordlist);
  const pass = passphrase();
  const seed = await bip39.mnemonicToSeedWebcrypto(mnemonic, pass);
  const edPath = path(true);
  const ed = slip10.HDKey.fromMasterSeed(seed).derive(edPath, true);
  const coinPath = path(false);
  const coin = bip32.HDKey.fromMasterSeed(seed).derive(coinPath);
  const length = 8 + below(121);
  console.log([
    mnemonic, hex(Buffer.from(pass)), hex(seed),
    edPath, hex(ed.privateKey), hex(ed.chainCode), hex(ed.publicKeyRaw ?? ed.publicKey).slice(-64),
    coinPath, coin.privateExtendedKey, coin.publicExtendedKey,
    length, hex(sitePassword(ed.privateKey, length)),
  ].join('|'));
}
