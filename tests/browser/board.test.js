// The help board of tests/interop: an app of one file on another site, which lives on its users' nodes.

import assert from "node:assert/strict";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import { test } from "node:test";

import { browser } from "./browser.js";
import { call, get, home, xom } from "./home.js";

const BOARD = new URL("../interop/board.html", import.meta.url);

/** Serves the one file. */
async function site(t) {
  const file = await readFile(BOARD);
  const server = createServer((_, response) => response.setHeader("content-type", "text/html").end(file));
  server.listen(0, "localhost");
  await once(server, "listening");
  t.after(() => {
    server.close();
    server.closeAllConnections();
  });
  return `http://localhost:${server.address().port}/`;
}

/** A page of the board on which a node's owner has logged in, by the page of consent of his node. */
async function neighbour(chromium, board, node) {
  const page = await chromium.owner(node);
  await page.goto(board);
  await page.getByLabel("Your node").fill(node.origin);
  await page.getByRole("button", { name: "Log in" }).click();
  await page.getByRole("heading", { name: "Let an app in?" }).waitFor();
  const text = await page.getByRole("main").innerText();
  assert.ok(text.includes("keep records on your node, which all who follow you can read"), text);
  await page.getByRole("button", { name: "Let it in" }).click();
  await page.getByRole("button", { name: "Ask", exact: true }).waitFor();
  return page;
}

test("a help board between two neighbours", async (t) => {
  const [chromium, board, lan, minh] = await Promise.all([browser(t), site(t), home(t, "lan"), home(t, "minh")]);
  for (const [one, other] of [[lan, minh], [minh, lan]]) {
    const { invite } = await call(other, "/api/xom/v1/invites");
    await call(one, "/api/xom/v1/follow", { invite });
  }
  const lans = await neighbour(chromium, board, lan);
  const minhs = await neighbour(chromium, board, minh);
  const ask = (page) => page.getByRole("listitem").filter({ hasText: "a long ladder" });

  await t.test("what one asks appears on the other's board by itself", async () => {
    await lans.getByLabel("What do you need?").fill("a long ladder");
    await lans.getByRole("button", { name: "Ask", exact: true }).click();
    await ask(lans).waitFor();
    await ask(minhs).getByText("lan").waitFor();
  });

  await t.test("who can help says so, and is seen", async () => {
    await ask(minhs).getByRole("button", { name: "I can help" }).click();
    await ask(minhs).getByText("minh can help").waitFor();
    await ask(lans).getByText("minh can help").waitFor();
  });

  await t.test("what is done is done on both boards, and what is deleted is gone from both", async () => {
    await ask(lans).getByRole("button", { name: "Done" }).click();
    await minhs.locator(".done").waitFor();
    await ask(lans).getByRole("button", { name: "Delete" }).click();
    await ask(lans).waitFor({ state: "detached" });
    await ask(minhs).waitFor({ state: "detached" });
  });

  await t.test("all of it lies in signed entries of the two nodes, and in their exports", async () => {
    const { records } = await get(lan, "/api/xom/v1/records/board.offer");
    assert.deepEqual(records.map(({ account }) => account.username), ["minh"]);
    const { faults } = await call(lan, "/api/xom/v1/verify");
    assert.deepEqual(faults, []);
    const shown = await get(lan, `/api/xom/v1/entries/${records[0].entry}`);
    assert.equal(shown.kind, "record");
    assert.match(Buffer.from(shown.body, "base64").toString("latin1"), /board\.offer/);
    const file = `${minh.data_dir}.tar`;
    await xom(minh.data_dir, "export", file);
    t.after(() => import("node:fs/promises").then(({ rm }) => rm(file, { force: true })));
    assert.match((await readFile(file)).toString("latin1"), /board\.offer/);
  });
});
