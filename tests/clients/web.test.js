// A web client that others made and built, from a site of its own, in a real browser against a node.

import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";

import { browser } from "../browser/browser.js";
import { get, home, post } from "../browser/home.js";
import { tokenOf } from "./consent.js";
import { WAIT_MS_MAX, until } from "./hamlet.js";
import { serve } from "./pages.js";
import { INSTALLED } from "./python.js";

const BUILT = join(INSTALLED, "sources/web/mastodon_mock/_ui_dist/browser");
/** What it asks only a server of its own project for. */
const ITS_OWN = "/api/v1/_mock/";

test("a web client of another site", async (t) => {
  const node = await home(t, "lan");
  await post(node, "chào xóm");
  const { token } = await tokenOf(node, "web", "read write follow push");
  const site = await serve(t, BUILT, "/_ui/");
  const page = await (await browser(t)).visitor();
  page.setDefaultTimeout(WAIT_MS_MAX);
  const refused = [];
  page.on("response", (answer) => {
    const isRefused = answer.status() >= 400 && !answer.url().includes(ITS_OWN);
    if (isRefused) refused.push(`${answer.status()} ${answer.request().method()} ${answer.url()}`);
  });

  await t.test("takes the node's address and a token, and shows home", async () => {
    await page.goto(`${site}/_ui/login`);
    await page.getByPlaceholder("https://another.instance").fill(node.origin);
    await page.getByRole("button", { name: "Use" }).click();
    await page.getByPlaceholder("access token").fill(token);
    await page.getByRole("button", { name: "Sign in", exact: true }).click();
    await page.getByText("chào xóm").waitFor();
  });

  await t.test("posts, and reacts to what is there", async () => {
    await page.getByPlaceholder("What is happening?").fill("từ trình duyệt");
    await page.getByRole("button", { name: "Post", exact: true }).click();
    const status = await until("the post is on the node", async () =>
      (await get(node, "/api/v1/timelines/home")).find(({ content }) => content.includes("từ trình duyệt")),
    );
    await page.getByText("từ trình duyệt").waitFor();
    for (const [title, member] of [["Favourite", "favourited"], ["Bookmark", "bookmarked"], ["Pin", "pinned"]]) {
      await page.getByTitle(title, { exact: true }).first().click();
      await until(member, async () => (await get(node, `/api/v1/statuses/${status.id}`))[member]);
    }
  });

  await t.test("shows notifications, the public timeline and what is searched for", async () => {
    await page.getByRole("link", { name: "Public" }).first().click();
    await page.getByText("chào xóm").first().waitFor();
    await page.getByRole("link", { name: "Search" }).first().click();
    const search = page.getByPlaceholder("Search accounts, statuses, hashtags");
    await search.fill("lan");
    await search.press("Enter");
    await page.getByText("@lan").filter({ visible: true }).first().waitFor();
    await page.getByRole("link", { name: "Notifications" }).first().click();
    await page.waitForURL(/notifications/);
  });

  assert.deepEqual(refused, [], "nothing that it asked for was refused");
});
