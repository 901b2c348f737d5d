// The page of devices: a second machine joins, both sides compare digits, it gets a name and is removed.

import assert from "node:assert/strict";
import { test } from "node:test";

import { browser, press } from "./browser.js";
import { home, joining } from "./home.js";

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
});
