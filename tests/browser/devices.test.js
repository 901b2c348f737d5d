// The page of devices: a second machine joins, both sides compare digits, it gets a name and is removed.

import assert from "node:assert/strict";
import { test } from "node:test";

import { browser, card, press, reloadUntil, reloadWhile, until } from "./browser.js";
import { call, get, home, joining, post } from "./home.js";

test("devices", async (t) => {
  const [chromium, alice] = await Promise.all([browser(t), home(t, "alice")]);
  const page = await chromium.owner(alice);

  await t.test("the offer is on the page as code and command, and the digits of both machines are equal", async () => {
    await page.goto(`${alice.origin}/devices`);
    await page.getByText("this node", { exact: true }).waitFor();
    await press(page, page.getByRole("button", { name: "Add a device" }));
    await page.getByRole("img", { name: "QR code of the offer" }).waitFor();
    const command = await page.getByLabel("The command for the new machine").inputValue();
    const offer = command.match(/^xom join '(xom-pair:.+)'$/)[1];

    const laptop = await joining(t, "laptop", offer);
    const { digits } = await laptop.hear();
    // The page looks again by itself.
    const shown = page.getByLabel("Six digits");
    await shown.waitFor();
    assert.equal((await shown.innerText()).replace(" ", ""), digits);
    if (process.env.XOM_SCREENSHOTS) await page.screenshot({ path: `${process.env.XOM_SCREENSHOTS}/digits.png`, fullPage: true });
    await press(page, page.getByRole("button", { name: "They are the same" }));
    laptop.say("yes");
    await page.getByText("The new device has your identity").waitFor();
    assert.equal((await laptop.hear()).did, alice.did);
    await page.reload();
    await page.getByRole("listitem").filter({ hasText: "laptop" }).waitFor();
  });

  await t.test("a device gets a name, and is removed where it stands", async () => {
    const entry = page.getByRole("listitem").filter({ hasText: "laptop" });
    await entry.getByLabel("Name of the device").fill("old laptop");
    await press(page, entry.getByRole("button", { name: "Rename" }));
    const renamed = page.getByRole("listitem").filter({ hasText: "old laptop" });
    await renamed.waitFor();
    if (process.env.XOM_SCREENSHOTS) await page.screenshot({ path: `${process.env.XOM_SCREENSHOTS}/devices.png`, fullPage: true });
    await renamed.getByText("Remove …").click();
    await press(page, renamed.getByRole("button", { name: "Remove this device" }));
    await renamed.getByText("removed", { exact: true }).waitFor();
    assert.equal(await renamed.getByRole("button").count(), 0);
  });

  await t.test("what a stolen device did is undone where the owner names a time, and what it erased comes back", async () => {
    await post(alice, "hers, from before the theft");
    await page.goto(`${alice.origin}/devices`);
    await press(page, page.getByRole("button", { name: "Add a device" }));
    const command = await page.getByLabel("The command for the new machine").inputValue();
    const tablet = await joining(t, "tablet", command.match(/^xom join '(xom-pair:.+)'$/)[1]);
    await tablet.hear();
    await page.getByLabel("Six digits").waitFor();
    await press(page, page.getByRole("button", { name: "They are the same" }));
    tablet.say("yes");
    await tablet.hear();
    const stolen = await tablet.serving();

    await post(stolen, "the thief's");
    const erased = await until(async () => {
      const statuses = await get(stolen, "/api/v1/timelines/home");
      return statuses.find((status) => status.content.includes("hers, from before the theft"));
    });
    await call(stolen, `/api/xom/v1/statuses/${erased.id}/erase`, { now: false });
    await page.goto(alice.origin);
    await reloadUntil(page, card(page, "the thief's"));
    await reloadWhile(page, card(page, "hers, from before the theft"));

    await page.goto(`${alice.origin}/devices`);
    const entry = page.getByRole("listitem").filter({ hasText: "tablet" });
    await entry.getByText("Remove …").click();
    assert.equal(await entry.getByText("can claim an earlier time").count(), 1, "the page says what a time is worth");
    await entry.getByLabel("If it was stolen").fill("2020-01-01T00:00:01");
    if (process.env.XOM_SCREENSHOTS) await page.screenshot({ path: `${process.env.XOM_SCREENSHOTS}/stolen.png`, fullPage: true });
    assert.equal((await press(page, entry.getByRole("button", { name: "Remove this device" }))).status(), 200);
    await entry.getByText("removed", { exact: true }).waitFor();
    await page.goto(alice.origin);
    await reloadUntil(page, card(page, "hers, from before the theft"));
    await reloadWhile(page, card(page, "the thief's"));
  });
});
