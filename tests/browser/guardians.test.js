// Guardians on the page: named by their friend, asked by a machine that has nothing, approving by hand.

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";

import { browser, press, reloadUntil } from "./browser.js";
import { begin, home } from "./home.js";

test("guardians", async (t) => {
  const [chromium, alice, bob] = await Promise.all([browser(t), home(t, "alice"), home(t, "bob")]);
  const [alices, bobs] = [await chromium.owner(alice), await chromium.owner(bob)];

  await t.test("bob is named as a guardian by the words, and wrong words name nobody", async () => {
    await alices.goto(`${alice.origin}/guardians`);
    await alices.getByText("Nobody can bring this account back yet").waitFor();
    const words = (await readFile(join(alice.data_dir, "identities/alice/phrase"), "utf8")).trim();
    for (const [given, said] of [["not the words", "a phrase has 24 words"], [words, "1 of 1 can bring"]]) {
      await alices.getByText("Name other guardians").first().click();
      await alices.getByLabel("Who: DIDs or names, one a line").fill(bob.did);
      await alices.getByLabel("How many of them it takes").fill("1");
      await alices.getByLabel("Your 24 words").fill(given);
      await press(alices, alices.getByRole("button", { name: "Name other guardians" }));
      await alices.getByText(said).waitFor();
    }
  });

  await t.test("bob sees who asks, with the code that the machine shows, and approves once", async () => {
    const machine = await begin(t, "machine", [
      ...["recover", "--guardians", alice.did, "--listen", "/ip4/127.0.0.1/tcp/0"],
      ...["--from", bob.listen[0], "--from", alice.listen[0]],
    ]);
    await bobs.goto(`${bob.origin}/guardians`);
    await reloadUntil(bobs, bobs.getByRole("button", { name: "Approve" }));
    const code = await bobs.locator("code.code").innerText();
    assert.match(code, /^[a-z2-7]{4}(-[a-z2-7]{4}){3}$/);
    assert.ok(machine.said().includes(code), machine.said());
    if (process.env.XOM_SCREENSHOTS) {
      await bobs.screenshot({ path: join(process.env.XOM_SCREENSHOTS, "guardians.png"), fullPage: true });
    }
    await press(bobs, bobs.getByRole("button", { name: "Approve" }));
    await reloadUntil(bobs, bobs.getByText("It has started. Approve once more, after"));
    await press(bobs, bobs.getByRole("button", { name: "Approve" }));
    await bobs.getByRole("alert").getByText("the delay is not over").waitFor();
  });

  await t.test("alice is warned on every page and stops it", async () => {
    await alices.goto(alice.origin);
    await reloadUntil(alices, alices.getByRole("link", { name: "Is it you?" }));
    await alices.getByRole("link", { name: "Is it you?" }).click();
    if (process.env.XOM_SCREENSHOTS) {
      await alices.screenshot({ path: join(process.env.XOM_SCREENSHOTS, "recovery.png"), fullPage: true });
    }
    await press(alices, alices.getByRole("button", { name: "Let them wait once more" }));
    await alices.getByText("The guardians were asked to wait once more.").waitFor();
    await press(alices, alices.getByRole("button", { name: "Stop it" }));
    assert.equal(await alices.getByRole("link", { name: "Is it you?" }).count(), 0);
    await reloadUntil(bobs, bobs.getByText("It is over."));
  });
});
