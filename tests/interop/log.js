// Logs by chapter 02: entries are made, and runs of them are verified before anything is believed.

import {
  decode,
  encode,
  entryLink,
  hex,
  prefix,
  random,
  must,
  same,
  sha256,
  verify,
} from "./bytes.js";
import { rootLog } from "./identity.js";
import { checkpointItems, merkleRoot } from "./merkle.js";

/** LOG-9: the places whose signatures travel. */
export const SIGNED_EVERY = 32;
/** LOG-8: the places of checkpoints. */
const CHECKPOINT_EVERY = 256;

/** The log of one device, as it is held: entries `{id, seq, kind, body, ...}` with the bytes in which they travel. */
export class Log {
  static async root(did, device, network) {
    return new Log(did, device, network, await rootLog(did, device, network));
  }

  constructor(did, device, network, id) {
    Object.assign(this, { did, device, network, id, entries: [] });
  }

  get height() {
    return this.entries.length;
  }

  get head() {
    return this.entries.at(-1)?.id ?? null;
  }

  /** What is told of it (SYN-7), to be compared. */
  stand() {
    return this.head && `${this.height} ${hex(this.head)}`;
  }

  /** Signs and appends an entry; `signer` holds the device's key. */
  async append(signer, kind, body) {
    const [salt, content] = [random(32), encode(body)];
    must(this.height % CHECKPOINT_EVERY || this.height === 0, "LOG-8", "a checkpoint is due");
    const sizeClass = Math.max(8, Math.ceil(Math.log2(content.length)));
    const commitment = await sha256(prefix("body", this.network), salt, content);
    const { did, device, id, height, head } = this;
    const header = encode([1, did, device, id, height, head, commitment, sizeClass, Date.now(), kind]);
    const signature = await signer.sign("entry", this.network, header);
    const entry = await this.read([header, signature, salt, content], this.height, this.head);
    this.entries.push(entry);
    return entry;
  }

  /**
   * Takes a run from `from` on, as it travelled (LOG-9); the whole must be valid and end at a signature. Entries that
   * are held already are compared.
   */
  async take(from, travelling) {
    must(from <= this.height, "LOG-4", "a gap");
    const run = [];
    for (const [index, parts] of travelling.entries()) {
      const seq = from + index;
      const before = run.at(-1) ?? this.entries[seq - 1];
      run.push(await this.read(parts, seq, before?.id ?? null));
    }
    must(run.at(-1)?.isSigned ?? true, "LOG-9", "a run that ends without signature");
    const held = this.entries.slice(from, from + run.length);
    must(held.every(({ id }, index) => same(id, run[index].id)), "LOG-13", "a fork");
    const fresh = run.slice(held.length);
    for (const entry of fresh) await this.audit(entry, [...this.entries, ...fresh]);
    this.entries.push(...fresh);
    return fresh;
  }

  /** Reads one entry at its place: header, chain, signature, commitment. */
  async read(parts, seq, before) {
    const [header, signature, salt, content] = parts;
    const id = await sha256(header);
    const [version, author, device, log, at, prev, commitment, sizeClass, time, kind] = decode(header);
    must(version === 1, "LOG-2", `a header of version ${version}`);
    const isOurs = same(author, this.did) && same(device, this.device) && same(log, this.id);
    must(isOurs, "LOG-7", "an entry of another log");
    must(at === seq, "LOG-4", `place ${at} instead of ${seq}`);
    must(before === null ? prev === null : prev && same(prev, before), "LOG-4", "a broken chain");
    must(signature !== null || seq % SIGNED_EVERY !== 0, "LOG-9", `no signature at ${seq}`);
    if (signature !== null) {
      must(await verify(device, signature, "entry", this.network, header), "ENC-12", `a bad signature at ${seq}`);
    }
    must((kind === "checkpoint") === (seq > 0 && seq % CHECKPOINT_EVERY === 0), "LOG-8", `${kind} at ${seq}`);
    let body = null;
    if (content !== null) {
      const committed = await sha256(prefix("body", this.network), salt, content);
      // LOG-6: the header stands without a body that does not match it.
      body = same(committed, commitment) && content.length <= 2 ** sizeClass ? decode(content) : null;
    }
    return { id, seq, kind, time, body, isSigned: signature !== null, parts };
  }

  /** LOG-8: a checkpoint says what stands below it. Logs of other devices are not known here. */
  async audit(entry, entries) {
    if (entry.kind !== "checkpoint") return;
    const below = entries.slice(0, entry.seq);
    must(entry.body.height === entry.seq && same(entry.body.prev, below.at(-1).id), "LOG-8", "a false place");
    if (entry.body.logs.length > 0 || below.some(({ body }) => body === null)) return;
    const root = await merkleRoot(await checkpointItems(this.did, below));
    must(same(root, entry.body.root), "LOG-8", "a root that is not that of the log");
    entry.isAudited = true;
  }

  /** LOG-11: a reference to an entry of this log. */
  refer({ id, seq }) {
    return [entryLink(id), this.did, this.id, seq];
  }

  /** Entries in `[from, to)` as they travel. */
  travelling(from, to) {
    return this.entries.slice(from, to).map(({ parts }) => parts);
  }
}
