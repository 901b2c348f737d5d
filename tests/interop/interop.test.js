// Another implementation against a real node: js-libp2p beneath, and above it only what `spec/` says.

import assert from "node:assert/strict";
import { test } from "node:test";

import { call, get, home, post } from "../browser/home.js";
import { didBytes, didText, entryText, hex, random } from "./bytes.js";
import { node } from "./node.js";

const POSTS = 300;

test("a node that knows only the spec", async (t) => {
  const xom = await home(t, "lan");
  const texts = Array.from({ length: POSTS }, (_, number) => `bài ${number}`);
  for (const status of texts) await post(xom, status);
  const { invite } = await call(xom, "/api/xom/v1/invites");

  const reader = await node(t);
  const { log, addresses } = await reader.follow(invite);
  const session = await reader.dial(addresses[0]);

  await t.test("SYN-22 connects over TCP, noise and yamux, and is told the network", async () => {
    const [connection] = reader.swarm.getConnections();
    assert.equal(connection.encryption, "/noise");
    assert.equal(connection.multiplexer, "/yamux/1.0.0");
    const { protocolVersion } = await reader.swarm.services.identify.identify(connection);
    assert.equal(protocolVersion, "/xom/main/1");
    assert.ok((await reader.swarm.services.ping.ping(connection.remotePeer)) >= 0);
  });

  await t.test("syncs a log and verifies every header, signature, body and checkpoint", async () => {
    await session.until("the log is there", () => log.entries.filter(isPost).length === POSTS);
    assert.deepEqual(log.entries.filter(isPost).map(({ body }) => body.text), texts);
    const [checkpoint] = log.entries.filter(({ kind }) => kind === "checkpoint");
    assert.equal(checkpoint.seq, 256);
    assert.ok(checkpoint.isAudited, "the root was made anew");
    const { logs, faults } = await call(xom, "/api/xom/v1/verify");
    assert.deepEqual(faults, []);
    assert.deepEqual(
      logs.map(({ log, height, head }) => ({ log, height, head })),
      [{ log: hex(log.id), height: log.height, head: hex(log.head) }],
    );
  });

  await t.test("receives a push", async () => {
    const { content } = await post(xom, "tin mới nhất");
    assert.match(content, /tin mới nhất/);
    await session.until("the push is there", () => session.pushes.some(says("tin mới nhất")));
    const [entry] = session.pushes.filter(says("tin mới nhất"));
    assert.equal(entry.seq, log.height - 1);
    assert.ok(entry.isSigned);
  });
});

test("an identity that no xom ever made", async (t) => {
  const [xom, writer] = await Promise.all([home(t, "minh"), node(t)]);
  const log = await writer.live();
  await writer.say(log, "profile", { rev: 1, username: "javascript", name: "Một nút khác" });
  for (let number = 0; number < 40; number += 1) await writer.say(log, "post", { text: `từ JavaScript ${number}` });

  await t.test("is followed by its invite, and its entries are read", async () => {
    await call(xom, "/api/xom/v1/follow", { invite: await writer.invite() });
    const { uri } = await eventually(() => shown(xom, "từ JavaScript 39"));
    assert.ok(uri);
    const { content, account } = await shown(xom, "từ JavaScript 0");
    assert.match(content, /từ JavaScript 0/);
    assert.equal(account.username, "javascript");
    assert.equal(account.display_name, "Một nút khác");
  });

  await t.test("pushes one more entry, which is there at once", async () => {
    const session = writer.sessions.find(({ ended }) => !ended);
    const entry = await writer.say(log, "post", { text: "vừa viết xong" });
    await session.push(log, [entry]);
    const status = await eventually(() => shown(xom, "vừa viết xong"));
    assert.ok(JSON.stringify(status).includes(entryText(entry.id)), "it is known by the id of its header");
  });

  await t.test("is refused by rule where it breaks one", async () => {
    const session = writer.sessions.find(({ ended }) => !ended);
    const entry = await writer.say(log, "post", { text: "chữ ký giả" });
    const [header, , salt, content] = entry.parts;
    await session.push(log, [entry], [[header, random(64), salt, content]]);
    const refused = await eventually(async () => {
      const { refusals } = await get(xom, "/api/xom/v1/status");
      return Object.keys(refusals).find((rule) => ["LOG-9", "ENC-12"].includes(rule));
    });
    assert.ok(refused);
    assert.equal(await shown(xom, "chữ ký giả"), undefined);
  });
});

test("two who do not follow each other", async (t) => {
  const [xom, stranger] = await Promise.all([home(t, "hoa"), node(t)]);
  const log = await stranger.live();
  const { did, invite } = await call(xom, "/api/xom/v1/invites");
  await stranger.say(log, "profile", { rev: 1, username: "stranger" });
  await stranger.say(log, "follow", { subject: didBytes(did), rev: 1 });
  const mentions = [{ did: didBytes(did), name: "hoa" }];
  await stranger.say(log, "post", { text: "@hoa chào bạn", mentions });
  const [address] = await stranger.addressesOf(invite);
  const session = await stranger.dial(address);
  const notified = (type) =>
    eventually(async () => (await get(xom, "/api/v1/notifications")).find((one) => one.type === type));

  await t.test("one hears that the other follows and mentions her", async () => {
    const { account } = await notified("follow");
    assert.ok(JSON.stringify(account).includes(didText(stranger.own.did)));
    const { status } = await notified("mention");
    assert.match(status.content, /chào bạn/);
  });

  await t.test("the other gets her answer", async () => {
    const { status } = await notified("mention");
    await post(xom, "chào bạn JavaScript", { in_reply_to_id: status.id });
    await session.until("the answer is there", () => session.aimed.some(says("chào bạn JavaScript")));
    const [{ author, body }] = session.aimed.filter(says("chào bạn JavaScript"));
    assert.equal(didText(author), did);
    assert.equal(didText(body.reply[1]), didText(stranger.own.did));
    assert.equal(session.fault, undefined);
  });
});

const isPost = ({ kind }) => kind === "post";
const says = (words) => (entry) => entry.body?.text === words;

async function shown(xom, words) {
  const statuses = await get(xom, "/api/v1/timelines/home?limit=40");
  return statuses.find(({ content }) => content.includes(`>${words}<`));
}

/** Asks until there is something. */
async function eventually(ask) {
  const deadline = Date.now() + 60_000;
  for (;;) {
    const found = await ask();
    if (found) return found;
    assert.ok(Date.now() < deadline, "not in time");
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
