// toot, the command line for Mastodon, against two nodes.

import assert from "node:assert/strict";
import { test } from "node:test";

import { get, post, scratch } from "../browser/home.js";
import { letIn } from "./consent.js";
import { PICTURE, arrives, hamlet, until } from "./hamlet.js";
import { run } from "./python.js";

test("toot", async (t) => {
  const { lan, minh } = await hamlet(t);
  const folder = await scratch(t);
  const toot = (...args) => run(t, folder, "toot", args).end();
  const json = async (...args) => JSON.parse(await toot(...args, "--json"));

  await t.test("logs in by a code that the browser shows", async () => {
    const login = run(t, folder, "toot", ["login", "--instance", lan.origin]);
    const url = await until("the address", () => login.said.out.match(/^http\S+\/oauth\/authorize\S+$/m));
    login.say("n");
    login.say(await letIn(lan, url[0]));
    assert.match(await login.end(), /Successfully logged in/);
    assert.equal((await json("whoami")).username, "lan");
    assert.match(await toot("instance"), /xom/);
  });

  let him;
  await t.test("finds and follows somebody on another node, whose posts arrive", async () => {
    [him] = (await json("search", minh.did, "--resolve", "--type", "accounts")).accounts;
    assert.ok((await json("follow", him.acct)).following);
    await post(minh, "từ nút khác");
    await until("the post is at home", () => at("từ nút khác"));
  });

  await t.test("posts with a picture, replies, boosts, favourites, bookmarks and pins", async () => {
    const mine = await json("post", "có ảnh", "--media", PICTURE.pathname, "--description", "một cánh đồng");
    assert.equal(mine.media_attachments[0].description, "một cánh đồng");
    await arrives(minh, "có ảnh");
    const { id } = await at("từ nút khác");
    const reply = await json("post", "chào Minh", "--reply-to", id);
    assert.equal(reply.in_reply_to_id, id);
    assert.match(await toot("thread", id), /chào Minh/);
    assert.equal((await json("reblog", id)).reblog.id, id);
    assert.ok((await json("favourite", id)).favourited);
    assert.ok((await json("bookmark", id)).bookmarked);
    assert.match(await toot("bookmarks"), /từ nút khác/);
    assert.ok((await json("pin", mine.id)).pinned);
    assert.ok(!(await json("unfavourite", id)).favourited);
    assert.ok(!(await json("unbookmark", id)).bookmarked);
    await toot("unreblog", id);
  });

  await t.test("votes in a poll of the other node, and asks in one of its own", async () => {
    const asked = await post(minh, "ăn gì?", { poll: { options: ["phở", "bún"], expires_in: 3600 } });
    const there = await until("the poll is at home", () => at("ăn gì?"));
    assert.deepEqual((await json("polls", "vote", there.poll.id, "1")).own_votes, [1]);
    const counts = async () => (await get(minh, `/api/v1/polls/${asked.poll.id}`)).options[1].votes_count === 1;
    await until("the vote counts", counts);
    const own = await json("post", "uống gì?", "--poll-option", "trà", "--poll-option", "nước");
    assert.equal(own.poll.options.length, 2);
  });

  await t.test("is notified, keeps a list, follows a tag, searches and mutes", async () => {
    const there = await arrives(minh, "có ảnh");
    await post(minh, "@lan đẹp quá", { in_reply_to_id: there.id });
    const mentioned = async () => (await json("notifications")).some(({ type }) => type === "mention");
    await until("the mention", mentioned);
    const list = await json("lists", "create", "bạn");
    await json("lists", "add", "bạn", him.acct);
    assert.match(await toot("timelines", "list", list.title, "--no-pager", "--no-clear"), /từ nút khác/);
    await json("tags", "follow", "xóm");
    assert.deepEqual((await json("tags", "followed")).map(({ name }) => name), ["xóm"]);
    assert.equal((await json("search", "minh", "--type", "accounts")).accounts[0].id, him.id);
    assert.ok((await json("mute", him.acct)).muting);
    assert.ok(!(await json("unmute", him.acct)).muting);
  });

  await t.test("erases", async () => {
    const { id } = await json("post", "sắp xoá");
    await toot("delete", id);
    await assert.rejects(toot("status", id), /not found/i);
    assert.match(await toot("logout", "lan@127.0.0.1"), /logged out/);
  });

  async function at(text) {
    return (await json("timelines", "home")).find(({ content }) => content.includes(text));
  }
});
