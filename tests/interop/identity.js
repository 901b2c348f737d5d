// Identities by chapter 01, as far as a node needs them that follows one: the genesis, and devices that were granted
// and not ended. Of anything else it says openly that it can't judge it.

import {
  Signer,
  ascending,
  decode,
  didText,
  encode,
  hex,
  random,
  must,
  same,
  sha256,
  text,
  verify,
} from "./bytes.js";

/** A new identity with its one device: `did`, `device`, and its signed objects. */
export async function createIdentity(network) {
  const [control, next, device] = await Promise.all([Signer.create(), Signer.create(), Signer.create()]);
  const payload = encode({
    v: 1,
    type: "genesis",
    network,
    nonce: random(16),
    control: { keys: [control.key], threshold: 1 },
    next: { keys: [await sha256(next.key)], threshold: 1 },
    device: device.key,
    guardians: null,
  });
  const object = encode([payload, [[0, await control.sign("identity", network, payload)]]]);
  return { did: await sha256(payload), device, objects: [object] };
}

/** Reads the objects of an identity: its live devices, and the digest of the set (ID-11). */
export async function readIdentity(did, network, objects) {
  const read = await Promise.all(objects.map(readObject));
  const [genesis] = read.filter(({ payload }) => payload.type === "genesis");
  must(genesis && same(genesis.id, did), "ID-1", `the genesis is not that of ${didText(did)}`);
  must(genesis.payload.network === network, "ID-3", `a genesis of ${genesis.payload.network}`);
  const { control, device } = genesis.payload;
  await mustBeSigned(genesis, control.keys, control.threshold, "identity", network);

  const devices = new Map([[hex(device), device]]);
  const waiting = read.filter(({ payload }) => payload.type !== "genesis");
  // A grant counts once the device that signed it is one (ID-10).
  for (let before = -1; before !== waiting.length; ) {
    before = waiting.length;
    for (const object of waiting.splice(0)) {
      const { payload } = object;
      must(same(payload.did, did), "ID-1", "an object of another identity");
      const by = devices.get(hex(payload.by ?? new Uint8Array()));
      if (!by) {
        waiting.push(object);
      } else if (payload.type === "grant") {
        await mustBeSigned(object, [by, payload.device], 2, "statement", network);
        devices.set(hex(payload.device), payload.device);
      } else {
        must(payload.type === "services", "ID-2", `${payload.type} is more than this reader understands`);
        await mustBeSigned(object, [by], 1, "statement", network);
      }
    }
  }
  must(waiting.length === 0, "ID-11", "a statement of no device");
  const ids = read.map(({ id }) => id).sort(ascending);
  return { did, devices, digest: await sha256(...ids) };
}

async function readObject(bytes) {
  const parts = decode(bytes);
  must(Array.isArray(parts) && parts.length === 2, "ID-2", "a recovery is more than this reader understands");
  const [payload, signatures] = parts;
  return { id: await sha256(payload), bytes: payload, payload: decode(payload), signatures };
}

/** ID-4: every signature is valid by the key at its index, and there are as many as have to be. */
async function mustBeSigned({ bytes, signatures }, keys, threshold, domain, network) {
  must(signatures.length >= threshold, "ID-4", "too few signatures");
  for (const [at, [index, signature]] of signatures.entries()) {
    must(at === 0 || signatures[at - 1][0] < index, "ID-2", "indexes do not ascend");
    const isValid = index in keys && (await verify(keys[index], signature, domain, network, bytes));
    must(isValid, "ID-4", `signature ${index} is not valid`);
  }
}

/** LOG-1: the id of a device's root log. */
export const rootLog = (did, device, network) =>
  sha256(text(`xom/1/log-id/${network}\0`), did, device, text("root"), new Uint8Array(1));

/** SYN-5: the id under which an identity is offered. */
export const identityId = (did, network) => sha256(text(`xom/1/log-id/${network}\0`), did, text("identity"));

/** ID-14: an invite that its device signs. */
export async function invite(identity, network, address) {
  const base64url = (bytes) => Buffer.from(bytes).toString("base64url");
  const said = `xom:${didText(identity.did)}?a=${address}&d=${base64url(identity.device.key)}`;
  return `${said}&s=${base64url(await identity.device.sign("invite", network, text(said)))}`;
}

/** What an invite says: the DID, its addresses, the device that signed. */
export async function readInvite(string, network) {
  const [, said, did, addresses, device, signature] =
    /^(xom:(did:xom:[a-z2-7]{52})\?((?:a=[^&]+&)*)d=([\w-]{43}))&s=([\w-]{86})$/.exec(string) ?? [];
  must(said, "ID-14", "no invite");
  const bytes = (base64url) => new Uint8Array(Buffer.from(base64url, "base64url"));
  const isValid = await verify(bytes(device), bytes(signature), "invite", network, text(said));
  must(isValid, "ID-14", "an invite that its device did not sign");
  const named = addresses.split("&").filter(Boolean).map((part) => decodeURIComponent(part.slice("a=".length)));
  return { did, addresses: named, device: bytes(device) };
}
