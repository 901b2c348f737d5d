// A restored identity that waits for a key: it is read, says what to do, and posts once it has joined.

import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";

import { browser, card, press, reloadUntil, watch } from "./browser.js";
import { home, homeOn, joining, post, scratch, xom } from "./home.js";

async function screenshot(page, name) {
  if (process.env.XOM_SCREENSHOTS) await page.screenshot({ path: `${process.env.XOM_SCREENSHOTS}/${name}.png`, fullPage: true });
}

test("a restored identity", async (t) => {
  const [chromium, alice] = await Promise.all([browser(t), home(t, "alice")]);
  await post(alice, "kept in the archive");
  const [folder, place] = [await scratch(t), await scratch(t)];
  const [archive, data] = [join(place, "alice.tar"), join(folder, "data")];
  await xom(alice.data_dir, "export", archive);
  const taken = await xom(data, "restore", archive);
  assert.equal(taken.identities[0].did, alice.did);

  await t.test("every page says that it waits and what to do, there is nowhere to write, and a post is refused", async () => {
    const restored = await homeOn(t, data);
    const page = await chromium.owner(restored);
    const seen = watch(page, restored.origin);
    await page.goto(`${restored.origin}/@${alice.did}`);
    await card(page, "kept in the archive").waitFor();
    await screenshot(page, "waiting");
    for (const path of ["/", "/public", "/devices", "/keys", "/guardians", "/notifications", `/@${alice.did}`]) {
      await page.goto(restored.origin + path);
      const banner = page.getByRole("region", { name: "Only read" });
      assert.equal(await banner.count(), 1, `${path}: ${await page.locator("body").innerText()}`);
      assert.match(await banner.innerText(), /xom recover.*xom join/s, path);
      assert.equal(await page.getByRole("textbox", { name: "New post" }).count(), 0, path);
      assert.equal(await page.getByRole("textbox", { name: "Follow somebody" }).count(), 0, path);
    }
    await page.goto(`${restored.origin}/unlock`);
    assert.equal(page.url(), `${restored.origin}/`, "there is nothing to unlock");
    assert.deepEqual(seen, []);
    // Whoever has an old page open is told the same.
    const answer = await page.request.post(`${restored.origin}/api/v1/statuses`, {
      headers: { authorization: `Bearer ${restored.token}` },
      data: { status: "too early" },
    });
    assert.equal(answer.status(), 423);
    await restored.stop();
  });

  await t.test("once it has joined beside a device that works it has a key, and posts", async () => {
    const page = await chromium.owner(alice);
    await page.goto(`${alice.origin}/devices`);
    await press(page, page.getByRole("button", { name: "Add a device" }));
    const command = await page.getByLabel("The command for the new machine").inputValue();
    const machine = await joining(t, "restored", command.match(/^xom join '(xom-pair:.+)'$/)[1], data);
    await machine.hear();
    await page.getByLabel("Six digits").waitFor();
    await press(page, page.getByRole("button", { name: "They are the same" }));
    machine.say("yes");
    assert.equal((await machine.hear()).did, alice.did);
    const node = await machine.serving();
    const restored = await chromium.owner(node);
    assert.equal(await restored.getByRole("region", { name: "Only read" }).count(), 0);
    await restored.getByRole("textbox", { name: "New post" }).fill("in place");
    await press(restored, restored.getByRole("button", { name: "Post", exact: true }));
    await card(restored, "in place").waitFor();
    await screenshot(restored, "joined-in-place");
    await page.goto(alice.origin);
    await reloadUntil(page, card(page, "in place"));
  });
});
