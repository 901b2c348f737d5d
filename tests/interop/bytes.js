// Bytes, hashes and keys by chapter 03: what everything else is made of.

import * as dagCbor from "@ipld/dag-cbor";
import { CID } from "multiformats/cid";
import { base32 } from "multiformats/bases/base32";
import { create as multihash } from "multiformats/hashes/digest";

const DAG_CBOR = 0x71;
const SHA2_256 = 0x12;

/** A rule of `spec/` that what came does not keep. */
export class Broken extends Error {
  constructor(rule, why) {
    super(`${rule}: ${why}`);
    this.rule = rule;
  }
}

export function must(holds, rule, why) {
  if (!holds) throw new Broken(rule, why);
}

export const encode = (object) => dagCbor.encode(object);

/** ENC-1 to ENC-6, as strict as the library is. */
export function decode(bytes) {
  try {
    return dagCbor.decode(bytes);
  } catch ({ message }) {
    throw new Broken("ENC-1", message);
  }
}

export const text = (string) => new TextEncoder().encode(string);

export function concat(...parts) {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  parts.reduce((at, part) => (whole.set(part, at), at + part.length), 0);
  return whole;
}

export const hex = (bytes) => Buffer.from(bytes).toString("hex");
export const unhex = (string) => new Uint8Array(Buffer.from(string, "hex"));
export const same = (one, other) => Buffer.compare(one, other) === 0;
export const ascending = (one, other) => Buffer.compare(one, other);
export const random = (count) => crypto.getRandomValues(new Uint8Array(count));

export async function sha256(...parts) {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", concat(...parts)));
}

/** ENC-10: what stands before everything that is signed or hashed. */
export const prefix = (domain, network) => text(`xom/1/${domain}/${network}\0`);

/** ENC-7: the text of a DID. */
export const didText = (did) => `did:xom:${base32.baseEncode(did)}`;

export function didBytes(string) {
  must(/^did:xom:[a-z2-7]{52}$/.test(string), "ENC-7", `${string} is no DID`);
  return base32.baseDecode(string.slice("did:xom:".length));
}

/** ENC-7: an entry id as a link. */
export const entryLink = (digest) => CID.createV1(DAG_CBOR, multihash(SHA2_256, digest));

export const entryText = (digest) => entryLink(digest).toString();

/** The digest in a link to an entry. */
export function digestOf(link) {
  const isEntry = CID.asCID(link)?.code === DAG_CBOR && link.multihash.code === SHA2_256;
  must(isEntry, "ENC-6", "a link to something else than an entry");
  return link.multihash.digest;
}

/** An ed25519 key that signs under a domain (ENC-10). */
export class Signer {
  static async create() {
    const pair = await crypto.subtle.generateKey("Ed25519", true, ["sign", "verify"]);
    const key = new Uint8Array(await crypto.subtle.exportKey("raw", pair.publicKey));
    return new Signer(pair.privateKey, key);
  }

  constructor(secret, key) {
    this.secret = secret;
    this.key = key;
  }

  async sign(domain, network, bytes) {
    const signed = concat(prefix(domain, network), bytes);
    return new Uint8Array(await crypto.subtle.sign("Ed25519", this.secret, signed));
  }
}

/** ENC-12, as far as WebCrypto is strict. */
export async function verify(key, signature, domain, network, bytes) {
  const known = await crypto.subtle.importKey("raw", key, "Ed25519", false, ["verify"]);
  return crypto.subtle.verify("Ed25519", known, signature, concat(prefix(domain, network), bytes));
}
