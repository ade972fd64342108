// The figures of secret_bench for the npm packages, in the same form.
// Usage: node peers.mjs NODE_MODULES
import { randomBytes, webcrypto } from 'node:crypto';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

globalThis.crypto ??= webcrypto; // Node.js 18 does not offer it by itself
const load = (path) => import(pathToFileURL(join(process.argv[2], path)).href);
const bip39 = await load('@scure/bip39/index.js');
const bip32 = await load('@scure/bip32/index.js');
const slip10 = await load('micro-key-producer/slip10.js');
const { gcm } = await load('@noble/ciphers/aes.js');
const { hkdf } = await load('@noble/hashes/hkdf.js');
const { sha256 } = await load('@noble/hashes/sha2.js');

const phrase = 'abandon '.repeat(11) + 'about';
const seed = await bip39.mnemonicToSeedWebcrypto(phrase, 'TREZOR');
const encryptionKey = slip10.HDKey.fromMasterSeed(seed).derive("m/74'/2'/0'/0'").privateKey;
const text = new Uint8Array(1024);
const aad = new Uint8Array([0, 0, 0, 1]);
const info = new TextEncoder().encode('alknet EncryptedData');

function encrypt() {
  const salt = randomBytes(16), iv = randomBytes(12);
  const data = gcm(hkdf(sha256, encryptionKey, salt, info, 32), iv, aad).encrypt(text);
  const base64 = (bytes) => Buffer.from(bytes).toString('base64');
  return JSON.stringify({ key_version: 1, salt: base64(salt), iv: base64(iv), data: base64(data) });
}
const sealed = encrypt();
function decrypt() {
  const record = JSON.parse(sealed);
  const bytes = (name) => new Uint8Array(Buffer.from(record[name], 'base64'));
  return gcm(hkdf(sha256, encryptionKey, bytes('salt'), info, 32), bytes('iv'), aad).decrypt(bytes('data'));
}

const figures = [
  ['mnemonic to seed', 1, () => bip39.mnemonicToSeedSync(phrase, 'TREZOR')],
  ['mnemonic to seed (WebCrypto)', 2, () => bip39.mnemonicToSeedWebcrypto(phrase, 'TREZOR')],
  ['Ed25519 derivation, 5 levels', 3, (i) => slip10.HDKey.fromMasterSeed(seed).derive(`m/44'/60'/0'/0'/${i}'`).publicKey],
  ['secp256k1 derivation, 5 levels', 1, (i) => bip32.HDKey.fromMasterSeed(seed).derive(`m/44'/60'/0'/0/${i}`).publicKey],
  ['encryption, 1 KiB', 20, encrypt],
  ['decryption, 1 KiB', 20, decrypt],
];
const best = figures.map(() => 0);
for (let round = 0; round < 300; round++) {
  for (const [n, [, count, work]] of figures.entries()) {
    const start = process.hrtime.bigint();
    for (let i = 0; i < count; i++) await work(i);
    best[n] = Math.max(best[n], count / (Number(process.hrtime.bigint() - start) * 1e-9));
  }
}
for (const [n, [name]] of figures.entries())
  console.log(JSON.stringify({ name, unit: '1/s', value: Math.round(best[n] * 10) / 10 }));
