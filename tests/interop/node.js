// A small node: what it holds and wants, and its conversations.

import { multiaddr } from "@multiformats/multiaddr";

import { ascending, didBytes, hex, sha256 } from "./bytes.js";
import { createIdentity, identityId, invite, readInvite } from "./identity.js";
import { Log } from "./log.js";
import { Frames, SYNC, peer } from "./peer.js";
import { Session } from "./session.js";

/** An identity as it is held. */
class Held {
  static async of(did, network, own = null) {
    return new Held(did, await identityId(did, network), own && (await sha256(did)), own);
  }

  constructor(did, id, digest, own) {
    Object.assign(this, { did, id, digest, isOwn: Boolean(own), objects: own?.objects ?? [] });
    this.devices = new Map(own ? [[hex(own.device.key), own.device.key]] : []);
  }

  set({ devices, digest }, objects) {
    Object.assign(this, { devices, digest, objects });
  }

  stand() {
    return this.digest && hex(this.digest);
  }
}

/** What a node holds and wants. */
class Holdings {
  epoch = crypto.getRandomValues(new Uint32Array(1))[0];
  identities = [];
  logs = [];
  own = null;

  constructor(network) {
    this.network = network;
  }

  get counter() {
    return this.logs.reduce((sum, log) => sum + log.height, this.identities.length);
  }

  things() {
    return [...this.identities, ...this.logs];
  }

  async add(did, device, own = null) {
    this.identities.push(await Held.of(did, this.network, own));
    const log = await Log.root(did, device, this.network);
    log.isWanted = !own;
    this.logs.push(log);
    return log;
  }

  /** LOG-7: the identity is known and has the device. */
  admits(log) {
    return this.identities.some(({ did, devices }) => ascending(did, log.did) === 0 && devices.has(hex(log.device)));
  }

  /** SYN-12: own entries that are aimed at one of these identities. */
  aimedAt(dids) {
    const [held] = this.identities.filter(({ isOwn }) => isOwn);
    const log = held && this.logs.find(({ did }) => ascending(did, held.did) === 0);
    const isAimed = ({ body }) => {
      const target = body?.subject ?? body?.target?.[1] ?? body?.reply?.[1];
      const named = [target, ...(body?.mentions ?? []).map(({ did }) => did)].filter(Boolean);
      return named.some((did) => dids.some((other) => ascending(did, other) === 0));
    };
    const entries = log?.entries.filter(isAimed).map(({ parts }) => parts) ?? [];
    return entries.length > 0 ? [[held.objects, entries]] : [];
  }
}

/** A node on `network` that stops when the test ends. */
export async function node(t, network = "main") {
  const swarm = await peer(t, network);
  const holdings = new Holdings(network);
  const sessions = [];
  const converse = (stream, connection) => {
    const peers = [swarm.peerId, connection.remotePeer].map((id) => id.toMultihash().bytes);
    const session = new Session(new Frames(stream), holdings, peers);
    session.done = session.run().catch((cause) => (session.fault = cause));
    sessions.push(session);
    return session;
  };
  await swarm.handle(SYNC, converse);
  let own = null;
  return {
    swarm,
    sessions,
    /** Makes an identity that lives here; answers its log. */
    async live() {
      own = holdings.own = await createIdentity(network);
      return holdings.add(own.did, own.device.key, own);
    },
    /** Signs an entry in a log of the own identity. */
    say: (log, kind, body) => log.append(own.device, kind, body),
    /** Wants what an invite names; answers its log. */
    async follow(string) {
      const { did, device, addresses } = await readInvite(string, network);
      return { log: await holdings.add(didBytes(did), device), addresses };
    },
    /** The addresses that an invite names. */
    addressesOf: async (string) => (await readInvite(string, network)).addresses,
    /** Opens a conversation at an address. */
    async dial(address) {
      const connection = await swarm.dial(multiaddr(address));
      return converse(await connection.newStream(SYNC), connection);
    },
    /** An invite to the own identity. */
    invite: () => invite(own, network, swarm.getMultiaddrs()[0].toString()),
    get own() {
      return own;
    },
  };
}
