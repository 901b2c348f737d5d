// masto, the library of Elk and Phanpy, against two nodes.

import assert from "node:assert/strict";
import { test } from "node:test";
import { createOAuthAPIClient, createRestAPIClient, createStreamingAPIClient } from "masto";

import { call, post } from "../browser/home.js";
import { OUT_OF_BAND, address, letIn } from "./consent.js";
import { arrives, hamlet, picture, until } from "./hamlet.js";

const SCOPE = "read write follow push";

test("masto", async (t) => {
  const { lan, minh } = await hamlet(t);
  const url = lan.origin;
  const masto = await logIn(lan);
  const me = await masto.v1.accounts.verifyCredentials();

  await t.test("logs in by OAuth and reads the instance", async () => {
    assert.equal(me.username, "lan");
    const { domain, configuration, version } = await masto.v2.instance.fetch();
    assert.equal(domain, new URL(url).hostname);
    assert.match(version, /^4\.\d+\.\d+ /);
    assert.ok(configuration.statuses.maxCharacters > 0);
  });

  let him;
  await t.test("finds and follows somebody on another node, whose posts arrive", async () => {
    const { accounts } = await masto.v2.search.list({ q: minh.did, resolve: true, type: "accounts" });
    [him] = accounts;
    assert.equal(him.uri, minh.did);
    const relationship = await masto.v1.accounts.$select(him.id).follow();
    assert.ok(relationship.following && relationship.followedBy);
    await post(minh, "chào Lan, từ nút khác");
    await until("the post is at home", async () => (await at(masto, "từ nút khác")) !== undefined);
  });

  await t.test("posts with a picture, which is at the follower's", async () => {
    const media = await masto.v2.media.create({ file: await picture(), description: "một cánh đồng" });
    assert.equal(media.type, "image");
    assert.ok(media.meta.original.width > 0 && media.blurhash);
    const status = await masto.v1.statuses.create({ status: "ảnh #xóm", mediaIds: [media.id], language: "vi" });
    assert.equal(status.mediaAttachments[0].description, "một cánh đồng");
    assert.deepEqual(status.tags.map(({ name }) => name), ["xóm"]);
    const there = await arrives(minh, "ảnh");
    assert.equal(there.media_attachments[0].description, "một cánh đồng");
  });

  await t.test("replies, boosts, favourites, bookmarks, pins, and takes it back", async () => {
    const his = await until("his post", () => at(masto, "từ nút khác"));
    const reply = await masto.v1.statuses.create({ status: `@${him.acct} chào Minh`, inReplyToId: his.id });
    assert.equal(reply.inReplyToId, his.id);
    const { descendants } = await masto.v1.statuses.$select(his.id).context.fetch();
    assert.deepEqual(descendants.map(({ id }) => id), [reply.id]);
    const one = masto.v1.statuses.$select(his.id);
    assert.equal((await one.reblog()).reblog.id, his.id);
    assert.ok((await one.favourite()).favourited);
    assert.ok((await one.bookmark()).bookmarked);
    assert.deepEqual((await masto.v1.bookmarks.list()).map(({ id }) => id), [his.id]);
    assert.deepEqual((await masto.v1.favourites.list()).map(({ id }) => id), [his.id]);
    assert.ok((await masto.v1.statuses.$select(reply.id).pin()).pinned);
    await one.unfavourite();
    await one.unbookmark();
    const { favourited, bookmarked, reblogged } = await one.fetch();
    assert.deepEqual([favourited, bookmarked, reblogged], [false, false, true]);
    await one.unreblog();
  });

  await t.test("asks in a poll, in which the follower votes", async () => {
    const poll = { options: ["phở", "bún"], expiresIn: 3600 };
    const asked = await masto.v1.statuses.create({ status: "ăn gì?", poll });
    assert.equal(asked.poll.options.length, 2);
    const there = await arrives(minh, "ăn gì?");
    await call(minh, `/api/v1/polls/${there.poll.id}/votes`, { choices: [1] });
    const votes = async () => (await masto.v1.polls.$select(asked.poll.id).fetch()).options[1].votesCount === 1;
    await until("the vote counts", votes);
  });

  await t.test("is notified of a reply and of a favourite, in both shapes", async () => {
    const there = await arrives(minh, "ảnh");
    await call(minh, `/api/v1/statuses/${there.id}/favourite`);
    await post(minh, "@lan đẹp quá", { in_reply_to_id: there.id });
    const kinds = async () => new Set((await masto.v1.notifications.list()).map(({ type }) => type));
    await until("all kinds are there", async () => {
      const found = await kinds();
      return ["follow", "favourite", "mention"].every((kind) => found.has(kind));
    });
    const { notificationGroups, accounts } = await masto.v2.notifications.list();
    assert.ok(notificationGroups.some(({ type }) => type === "mention"));
    assert.ok(accounts.some(({ id }) => id === him.id));
  });

  await t.test("keeps lists and filters", async () => {
    const list = await masto.v1.lists.create({ title: "bạn" });
    await masto.v1.lists.$select(list.id).accounts.create({ accountIds: [him.id] });
    const members = await masto.v1.lists.$select(list.id).accounts.list();
    assert.deepEqual(members.map(({ id }) => id), [him.id]);
    const timeline = await masto.v1.timelines.list.$select(list.id).list();
    assert.ok(timeline.some(({ content }) => content.includes("từ nút khác")));
    const filter = await masto.v2.filters.create({
      title: "ồn",
      context: ["home"],
      filterAction: "warn",
      keywordsAttributes: [{ keyword: "từ nút khác" }],
    });
    const filtered = await until("it is filtered", () => at(masto, "từ nút khác"));
    assert.equal(filtered.filtered[0].filter.title, "ồn");
    await masto.v2.filters.$select(filter.id).remove();
  });

  await t.test("hears of a new post over the stream, and of one that is erased", async () => {
    const { configuration } = await masto.v2.instance.fetch();
    const streaming = createStreamingAPIClient({
      streamingApiUrl: configuration.urls.streaming,
      accessToken: masto.token,
      retry: false,
    });
    const heard = [];
    const stream = streaming.user.subscribe();
    const listening = (async () => {
      for await (const { event, payload } of stream) heard.push([event, payload]);
    })();
    listening.catch(() => {});
    const has = (fits) => until("it is heard", () => heard.find(fits));
    // What is posted before the stream is open is not heard: so again until it is.
    const say = async () => {
      const { id } = await masto.v1.statuses.create({ status: "nghe thấy không?" });
      return heard.find(([event, status]) => event === "update" && status.id === id);
    };
    await until("an update is heard", say);
    const { id } = await masto.v1.statuses.create({ status: "sắp xoá" });
    await has(([event, status]) => event === "update" && status.id === id);
    await masto.v1.statuses.$select(id).remove();
    await has(([event, gone]) => event === "delete" && gone === id);
    streaming.close();
    await assert.rejects(masto.v1.statuses.$select(id).fetch(), ({ statusCode }) => statusCode === 404);
  });

  await t.test("follows pages to their end and not for ever", async () => {
    let pages = 0;
    for await (const page of masto.v1.accounts.$select(me.id).statuses.list({ limit: 2 })) {
      assert.ok(page.length <= 2);
      pages += 1;
      assert.ok(pages < 100);
    }
    assert.ok(pages > 1);
  });
});

async function logIn(node) {
  const anonymous = createRestAPIClient({ url: node.origin });
  const app = await anonymous.v1.apps.create({ clientName: "masto", redirectUris: OUT_OF_BAND, scopes: SCOPE });
  const code = await letIn(node, address(node, app.clientId, SCOPE));
  const { accessToken } = await createOAuthAPIClient({ url: node.origin }).token.create({
    grantType: "authorization_code",
    clientId: app.clientId,
    clientSecret: app.clientSecret,
    redirectUri: OUT_OF_BAND,
    code,
    scope: SCOPE,
  });
  const client = createRestAPIClient({ url: node.origin, accessToken });
  return { v1: client.v1, v2: client.v2, token: accessToken };
}

async function at(masto, text) {
  return (await masto.v1.timelines.home.list()).find(({ content }) => content.includes(text));
}
