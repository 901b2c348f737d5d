// The conversation of chapter 04, one side of it: compare, fetch, serve, push.

import {
  Broken,
  ascending,
  concat,
  decode,
  encode,
  hex,
  random,
  must,
  same,
  sha256,
  verify,
} from "./bytes.js";
import { readIdentity } from "./identity.js";
import { SIGNED_EVERY } from "./log.js";

const VERSION = 1;
/** SYN-9. */
const RANGE_MAX = 2048;
/** SYN-14: well below the 20 seconds. */
const PING_MS = 10_000;

const HELLO = 0;
const PROOF = 1;
const OFFER = 2;
const HEADS = 3;
const COMPARED = 4;
const RANGE_REQUEST = 5;
const RANGE = 6;
const IDENTITY_REQUEST = 7;
const IDENTITY_OBJECTS = 8;
const PUSH = 9;
const ACK = 10;
const AIMED = 11;
const PING = 13;
const BYE = 14;
const RECEIPTS = 15;
const RECEIPTS_ACK = 16;

/** One conversation over `frames`, about what `holdings` has and wants; `peers` are the peer ids, own and other. */
export class Session {
  #frames;
  #holdings;
  #peers;
  #nonce = random(32);
  #salted = new Map();
  #common = new Map();
  #requests = new Map();
  #lastRequest = 0;
  #pushed = 0;
  #handled = 0;
  #counter = 0;
  #compared = { ours: false, theirs: false };
  #incoming = { ids: [], proven: false };
  #waiting = new Set();
  /** What came: names of messages, to be asked for by tests. */
  seen = [];
  /** Entries that came as a push, aimed at who lives here, and the reason of the other's goodbye. */
  pushes = [];
  aimed = [];
  goodbye = null;

  constructor(frames, holdings, peers) {
    this.#frames = frames;
    this.#holdings = holdings;
    this.#peers = peers;
  }

  /** Runs until the other side ends it, or breaks a rule. */
  async run() {
    const pings = setInterval(() => this.#send(PING, null).catch(() => {}), PING_MS);
    try {
      await this.#send(HELLO, VERSION, this.#holdings.network, this.#nonce, this.#holdings.epoch, []);
      for (let frame; (frame = await this.#frames.receive()); this.#wake()) {
        const [kind, ...parts] = decode(frame);
        this.seen.push(kind);
        await this.#handle(kind, parts);
        if (this.goodbye !== null) break;
      }
    } finally {
      clearInterval(pings);
      this.ended = true;
      this.#wake();
    }
  }

  /** Waits until a condition holds; it is looked at after every message. */
  async until(what, condition, ms = 60_000) {
    const deadline = AbortSignal.timeout(ms);
    while (!condition()) {
      must(!this.ended, "SYN-15", `the conversation ended (${this.goodbye}) before ${what}`);
      await new Promise((resolve, reject) => {
        this.#waiting.add(resolve);
        deadline.addEventListener("abort", () => reject(new Error(`not in time: ${what}`)), { once: true });
      });
    }
  }

  /** SYN-11: pushes entries of a log to a peer that wants it; as `parts`, if they shall travel otherwise. */
  async push(log, entries, parts = entries.map((entry) => entry.parts)) {
    const common = this.#of(log);
    must(common?.theirs?.wanted, "SYN-11", "the peer does not want the log");
    common.told = log.stand();
    await this.#send(PUSH, ++this.#pushed, common.salted, entries[0].seq, this.#holdings.counter, parts);
  }

  #wake() {
    for (const resolve of this.#waiting) resolve();
    this.#waiting.clear();
  }

  #of(thing) {
    return [...this.#common.values()].find((common) => common.thing === thing);
  }

  async #send(...message) {
    await this.#frames.send(encode(message));
  }

  async #handle(kind, parts) {
    const isFirst = this.seen.length === 1;
    const isSecond = this.seen.length === 2;
    must((kind === HELLO) === isFirst && (kind === PROOF) === isSecond, "SYN-3", `message ${kind} out of place`);
    switch (kind) {
      case HELLO:
        return this.#greeted(...parts);
      case PROOF:
        return this.#proven(...parts);
      case OFFER:
        return this.#offered(...parts);
      case HEADS:
        return this.#told(...parts);
      case COMPARED:
        this.#compared.theirs = true;
        return this.#sendAimed();
      case IDENTITY_REQUEST:
        return this.#serveIdentity(...parts);
      case IDENTITY_OBJECTS:
        return this.#takeObjects(...parts);
      case RANGE_REQUEST:
        return this.#serveRange(...parts);
      case RANGE:
        return this.#takeRange(...parts);
      case PUSH:
        return this.#takePush(...parts);
      case AIMED:
        return this.#takeAimed(...parts);
      case ACK:
      case PING:
        return undefined;
      case RECEIPTS:
        return this.#send(RECEIPTS_ACK, parts[0]);
      case BYE:
        this.goodbye = parts[0];
        return undefined;
      default:
        throw new Broken("SYN-1", `message ${kind}`);
    }
  }

  async #greeted(version, network, nonce) {
    must(version >= VERSION && network === this.#holdings.network, "SYN-3", `${network}, version ${version}`);
    must(!same(nonce, this.#nonce), "SYN-3", "an echo");
    this.theirNonce = nonce;
    await this.#send(PROOF, await this.#claims());
    for (const thing of this.#holdings.things()) {
      const nonces = [nonce, this.#nonce].sort(ascending);
      const salted = (await sha256(...nonces, thing.id)).slice(0, 16);
      this.#salted.set(hex(salted), { thing, salted, theirs: null, told: undefined });
    }
    const ids = concat(...[...this.#salted.values()].map(({ salted }) => salted));
    await this.#send(OFFER, 1, false, this.#holdings.counter, ids);
  }

  /** SYN-4, with what is proven and checked. */
  #handshake(prover, did, device) {
    const nonces = [this.#nonce, this.theirNonce];
    const sides = prover === "own" ? [0, 1] : [1, 0];
    return encode([VERSION, ...sides.map((at) => nonces[at]), ...sides.map((at) => this.#peers[at]), did, device]);
  }

  async #claims() {
    const { own, network } = this.#holdings;
    if (!own) return [];
    const said = this.#handshake("own", own.did, own.device.key);
    return [[own.did, own.device.key, await own.device.sign("handshake", network, said)]];
  }

  async #proven(claims) {
    for (const [did, device, signature] of claims) {
      const said = this.#handshake("other", did, device);
      const isValid = await verify(device, signature, "handshake", this.#holdings.network, said);
      must(isValid, "SYN-4", "a proof that proves nothing");
    }
    this.#incoming.proven = claims.map(([did]) => did);
  }

  async #offered(number, more, counter, ids) {
    this.#counter = counter;
    const found = [];
    for (let at = 0; at < ids.length; at += 16) {
      const common = this.#salted.get(hex(ids.subarray(at, at + 16)));
      if (common) found.push(common);
    }
    found.forEach((common) => this.#common.set(hex(common.salted), common));
    await this.#tell(found);
    if (more) return;
    await this.#send(COMPARED, number);
    this.#compared.ours = true;
    await this.#sendAimed();
  }

  /** SYN-7: says where this side stands, unless it did since that last changed. */
  async #tell(commons) {
    const due = commons.filter(({ thing, told }) => told === undefined || told !== thing.stand());
    if (due.length === 0) return;
    const logs = due.filter(({ thing }) => thing.entries);
    const identities = due.filter(({ thing }) => thing.objects);
    await this.#send(
      HEADS,
      this.#holdings.counter,
      logs.map(({ thing, salted }) => [salted, thing.height, thing.head, thing.isWanted]),
      identities.map(({ thing, salted }) => [salted, thing.digest]),
    );
    due.forEach((common) => (common.told = common.thing.stand()));
  }

  async #told(counter, logs, identities) {
    this.#counter = counter;
    const named = [];
    for (const [salted, height, head, wanted] of logs) named.push(this.#heard(salted, { height, head, wanted }));
    for (const [salted, digest] of identities) named.push(this.#heard(salted, { digest }));
    await this.#tell(named);
    for (const common of named) await this.#fetch(common);
  }

  #heard(salted, stand) {
    const common = this.#salted.get(hex(salted));
    must(common, "SYN-7", "a head of what was not offered");
    this.#common.set(hex(salted), common);
    common.theirs = stand;
    return common;
  }

  async #fetch(common) {
    const { thing, theirs, salted } = common;
    if (!theirs || common.asked) return;
    if (thing.objects) {
      const isNew = theirs.digest && !(thing.digest && same(theirs.digest, thing.digest));
      if (isNew && !thing.isOwn) await this.#ask(common, IDENTITY_REQUEST, salted);
      return;
    }
    // SYN-8: logs wait for their identity. SYN-9: a range ends at a place that has a signature.
    if (!this.#holdings.admits(thing) || theirs.height <= thing.height) return;
    const far = thing.height + RANGE_MAX;
    const to = theirs.height <= far ? theirs.height : Math.floor((far - 1) / SIGNED_EVERY) * SIGNED_EVERY + 1;
    await this.#ask(common, RANGE_REQUEST, salted, thing.height, to);
  }

  async #ask(common, kind, ...what) {
    const request = ++this.#lastRequest;
    this.#requests.set(request, { common, kind, parts: [], from: what[1] });
    common.asked = true;
    await this.#send(kind, request, ...what);
  }

  /** A part of an answer; the request once it has ended. */
  #answer(number, kind, end, parts) {
    const request = this.#requests.get(number);
    must(request?.kind === kind, "SYN-10", "an answer that was not asked for");
    request.parts.push(...parts);
    if (!end) return null;
    this.#requests.delete(number);
    request.common.asked = false;
    return request;
  }

  async #takeObjects(number, end, objects) {
    const request = this.#answer(number, IDENTITY_REQUEST, end, objects);
    if (!request) return;
    const { common, parts } = request;
    const read = await readIdentity(common.thing.did, this.#holdings.network, parts);
    must(same(read.digest, common.theirs.digest), "SYN-8", "other objects than were told");
    common.thing.set(read, parts);
    await this.#tell([common]);
    for (const other of this.#common.values()) await this.#fetch(other);
    await this.#acknowledge();
  }

  async #takeRange(number, from, end, entries) {
    const request = this.#answer(number, RANGE_REQUEST, end, entries);
    if (!request) return;
    const { common, parts } = request;
    must(parts.length > 0, "SYN-10", "no entry at all");
    await common.thing.take(request.from, parts);
    await this.#fetch(common);
    if (!common.asked) await this.#tell([common]);
    await this.#acknowledge();
  }

  async #takePush(number, salted, from, counter, entries) {
    const common = this.#common.get(hex(salted));
    must(number === this.#handled + 1 && common?.thing.isWanted, "SYN-11", "a push out of turn");
    if (from <= common.thing.height && this.#holdings.admits(common.thing)) {
      this.pushes.push(...(await common.thing.take(from, entries)));
      common.told = common.thing.stand();
    }
    this.#handled = number;
    this.#counter = counter;
    await this.#acknowledge();
  }

  /** SYN-12. */
  async #takeAimed(number, more, counter, items) {
    must(this.#holdings.own && number === this.#handled + 1, "SYN-12", "aimed at nobody here");
    for (const [, entries] of items) {
      for (const [header, signature, salt, content] of entries) {
        const [, author, device, , , , , , , kind] = decode(header);
        const isValid = signature && (await verify(device, signature, "entry", this.#holdings.network, header));
        must(isValid, "SYN-12", "an entry without its signature");
        this.aimed.push({ author, kind, body: content && decode(content), salt });
      }
    }
    this.#handled = number;
    this.#counter = counter;
    await this.#acknowledge();
  }

  /** SYN-6, SYN-11: everything is durable here at once, as long as this side runs. */
  async #acknowledge() {
    if (this.#requests.size > 0) return this.#send(ACK, this.#handled, 0);
    return this.#send(ACK, this.#handled, this.#counter);
  }

  async #sendAimed() {
    const { ours, theirs, sent } = this.#compared;
    if (!(ours && theirs) || sent || !this.#incoming.proven?.length) return;
    this.#compared.sent = true;
    const items = this.#holdings.aimedAt(this.#incoming.proven);
    await this.#send(AIMED, ++this.#pushed, false, this.#holdings.counter, items);
  }

  async #serveIdentity(request, salted) {
    const { thing } = this.#common.get(hex(salted)) ?? {};
    must(thing?.objects, "SYN-9", "a request for what is not in common");
    await this.#send(IDENTITY_OBJECTS, request, true, thing.objects);
  }

  async #serveRange(request, salted, from, to) {
    const { thing } = this.#common.get(hex(salted)) ?? {};
    must(thing?.entries && to <= thing.height, "SYN-9", "a request for what was not told");
    await this.#send(RANGE, request, from, true, thing.travelling(from, to));
  }
}
