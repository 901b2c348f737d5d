// megalodon, the library of Whalebird, against two nodes.

import assert from "node:assert/strict";
import { createReadStream } from "node:fs";
import { test } from "node:test";
import generator, { detector } from "megalodon";

import { call, post } from "../browser/home.js";
import { OUT_OF_BAND, letIn } from "./consent.js";
import { PICTURE, arrives, hamlet, until } from "./hamlet.js";

test("megalodon", async (t) => {
  const { lan, minh } = await hamlet(t);

  let client;
  await t.test("takes the node for one that speaks Mastodon's language, and logs in by OAuth", async () => {
    const software = await detector(lan.origin);
    assert.equal(software, "mastodon");
    const anonymous = generator(software, lan.origin);
    const app = await anonymous.registerApp("megalodon", { scopes: ["read", "write", "follow"] });
    const code = await letIn(lan, app.url);
    const token = await anonymous.fetchAccessToken(app.client_id, app.client_secret, code, OUT_OF_BAND);
    client = generator(software, lan.origin, token.accessToken ?? token.access_token);
    assert.equal((await client.verifyAccountCredentials()).data.username, "lan");
  });

  let him;
  await t.test("finds and follows somebody on another node, whose posts arrive", async () => {
    [him] = (await client.search(minh.did, { type: "accounts", resolve: true })).data.accounts;
    assert.ok((await client.followAccount(him.id)).data.following);
    await post(minh, "từ nút khác");
    await until("the post is at home", () => at(client, "từ nút khác"));
  });

  await t.test("posts with a picture, replies, boosts, favourites and bookmarks", async () => {
    const media = (await client.uploadMedia(createReadStream(PICTURE), { description: "một cánh đồng" })).data;
    const mine = (await client.postStatus("có ảnh", { media_ids: [media.id], visibility: "public" })).data;
    assert.equal(mine.media_attachments[0].description, "một cánh đồng");
    await arrives(minh, "có ảnh");
    const his = await at(client, "từ nút khác");
    const reply = (await client.postStatus("chào Minh", { in_reply_to_id: his.id })).data;
    assert.equal((await client.getStatusContext(his.id)).data.descendants[0].id, reply.id);
    assert.ok((await client.reblogStatus(his.id)).data.reblog);
    assert.ok((await client.favouriteStatus(his.id)).data.favourited);
    assert.ok((await client.bookmarkStatus(his.id)).data.bookmarked);
    assert.equal((await client.getBookmarks()).data[0].id, his.id);
    assert.ok(!(await client.unfavouriteStatus(his.id)).data.favourited);
  });

  await t.test("asks in a poll, in which the follower votes", async () => {
    const poll = { options: ["phở", "bún"], expires_in: 3600 };
    const asked = (await client.postStatus("ăn gì?", { poll })).data;
    const there = await arrives(minh, "ăn gì?");
    await call(minh, `/api/v1/polls/${there.poll.id}/votes`, { choices: [0] });
    await until("the vote counts", async () => (await client.getPoll(asked.poll.id)).data.votes_count === 1);
  });

  await t.test("is notified, keeps a list and a filter, and searches", async () => {
    const there = await arrives(minh, "có ảnh");
    await post(minh, "@lan đẹp quá", { in_reply_to_id: there.id });
    const types = async () => (await client.getNotifications()).data.map(({ type }) => type);
    await until("the mention", async () => (await types()).includes("mention"));
    const list = (await client.createList("bạn")).data;
    await client.addAccountsToList(list.id, [him.id]);
    assert.equal((await client.getAccountsInList(list.id)).data[0].id, him.id);
    assert.ok((await client.getListTimeline(list.id)).data.length > 0);
    const filter = (await client.createFilter("ồn ào", ["home"])).data;
    assert.equal((await client.getFilters()).data[0].phrase, "ồn ào");
    await client.deleteFilter(filter.id);
    assert.equal((await client.search("minh", { type: "accounts" })).data.accounts[0].id, him.id);
  });

  await t.test("hears of a new post over the WebSocket, and of one that is erased", async () => {
    const stream = await client.userStreaming();
    const heard = { update: [], delete: [] };
    stream.on("update", ({ id }) => heard.update.push(id));
    stream.on("delete", (id) => heard.delete.push(id));
    stream.on("error", () => {});
    // What is posted before the stream is open is not heard: so again until it is.
    const say = async () => {
      const { id } = (await client.postStatus("nghe thấy không?")).data;
      return heard.update.includes(id);
    };
    await until("an update is heard", say);
    const { id } = (await client.postStatus("sắp xoá")).data;
    await until("it is heard", () => heard.update.includes(id));
    await client.deleteStatus(id);
    await until("its end is heard", () => heard.delete.includes(id));
    stream.stop();
    await assert.rejects(client.getStatus(id), ({ response }) => response.status === 404);
  });
});

async function at(client, text) {
  return (await client.getHomeTimeline()).data.find(({ content }) => content.includes(text));
}
