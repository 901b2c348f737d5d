// A peer on js-libp2p: TCP, noise, yamux (SYN-22), and streams of frames (SYN-1).

import { identify } from "@libp2p/identify";
import { noise } from "@libp2p/noise";
import { ping } from "@libp2p/ping";
import { tcp } from "@libp2p/tcp";
import { yamux } from "@libp2p/yamux";
import { createLibp2p } from "libp2p";

import { must } from "./bytes.js";

export const SYNC = "/xom/sync/1";
/** SYN-1. */
const FRAME_MAX = 1 << 20;

/** A peer that listens on loopback; it stops when the test ends. */
export async function peer(t, network) {
  const node = await createLibp2p({
    start: false,
    addresses: { listen: ["/ip4/127.0.0.1/tcp/0"] },
    transports: [tcp()],
    connectionEncrypters: [noise()],
    streamMuxers: [yamux()],
    services: { identify: identify(), ping: ping() },
  });
  // The library would add a version of its own.
  node.services.identify.host.protocolVersion = `/xom/${network}/1`;
  await node.start();
  t.after(() => node.stop());
  return node;
}

/** A stream as messages: `send` and an endless `receive`. */
export class Frames {
  #stream;
  #incoming;
  #held = new Uint8Array();

  constructor(stream) {
    this.#stream = stream;
    this.#incoming = stream[Symbol.asyncIterator]();
  }

  async send(body) {
    must(body.length > 0 && body.length <= FRAME_MAX, "SYN-1", `a frame of ${body.length} bytes`);
    const frame = Buffer.alloc(4 + body.length);
    frame.writeUInt32BE(body.length);
    frame.set(body, 4);
    if (!this.#stream.send(frame)) await this.#stream.onDrain();
  }

  /** The next frame's body, or null at the end of the stream. */
  async receive() {
    const length = await this.#take(4);
    if (length === null) return null;
    const count = Buffer.from(length).readUInt32BE();
    must(count > 0 && count <= FRAME_MAX, "SYN-1", `a frame of ${count} bytes`);
    return this.#take(count);
  }

  close() {
    return this.#stream.close();
  }

  async #take(count) {
    while (this.#held.length < count) {
      const { value, done } = await this.#incoming.next();
      if (done) return null;
      this.#held = Buffer.concat([this.#held, value.subarray()]);
    }
    const taken = new Uint8Array(this.#held.subarray(0, count));
    this.#held = this.#held.subarray(count);
    return taken;
  }
}
