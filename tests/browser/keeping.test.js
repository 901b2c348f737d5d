// The passphrase, the copies of a post, and the history of an identity: what an owner looks after.

import assert from "node:assert/strict";
import { test } from "node:test";

import { browser, card, press, reloadUntil, watch } from "./browser.js";
import { call, get, home, post } from "./home.js";

async function screenshot(page, name) {
  if (process.env.XOM_SCREENSHOTS) await page.screenshot({ path: `${process.env.XOM_SCREENSHOTS}/${name}.png`, fullPage: true });
}

test("the passphrase", async (t) => {
  const [chromium, alice] = await Promise.all([browser(t), home(t, "alice")]);
  const page = await chromium.owner(alice);
  const fill = async (old, next, again = next) => {
    if (old !== null) await page.getByLabel("The passphrase until now").fill(old);
    await page.getByLabel("The new passphrase").fill(next);
    await page.getByLabel("The same again").fill(again);
  };

  await t.test("it is set where there was none, and the page says how the keys lie", async () => {
    await page.getByRole("link", { name: "Keys" }).click();
    await page.getByRole("heading", { name: "Your keys" }).waitFor();
    await fill(null, "correct horse battery");
    await press(page, page.getByRole("button", { name: "Set a passphrase" }));
    await page.getByRole("status").filter({ hasText: "The passphrase is changed" }).waitFor();
    assert.equal(await page.getByText("sealed with your passphrase").count(), 1);
    await screenshot(page, "keys");
  });

  await t.test("a wrong one, a short one and two that differ change nothing and say so", async () => {
    await fill("battery horse", "another passphrase");
    assert.equal((await press(page, page.getByRole("button", { name: "Change the passphrase" }))).status(), 403);
    await page.getByRole("alert").filter({ hasText: "wrong passphrase" }).waitFor();
    await fill("correct horse battery", "short");
    assert.equal((await press(page, page.getByRole("button", { name: "Change the passphrase" }))).status(), 422);
    await page.getByRole("alert").waitFor();
    await fill("correct horse battery", "another passphrase", "another passphrase!");
    assert.equal((await press(page, page.getByRole("button", { name: "Change the passphrase" }))).status(), 422);
    await page.getByRole("alert").filter({ hasText: "not the same" }).waitFor();
    await screenshot(page, "keys-refused");
  });

  await t.test("it is changed, and the key that posts is sealed too: after a start the new one opens it", async () => {
    await page.goto(`${alice.origin}/keys`);
    await fill("correct horse battery", "a new passphrase");
    await page.getByLabel("Seal the key that posts").check();
    await press(page, page.getByRole("button", { name: "Change the passphrase" }));
    await page.getByRole("status").waitFor();
    assert.equal(await page.getByText("sealed with your passphrase").count(), 2);
    await alice.restart();
    await page.goto(`${alice.origin}/unlock`);
    await page.getByLabel("Passphrase").fill("correct horse battery");
    assert.equal((await press(page, page.getByRole("button", { name: "Open it" }))).status(), 403);
    await page.getByLabel("Passphrase").fill("a new passphrase");
    await press(page, page.getByRole("button", { name: "Open it" }));
    await page.getByRole("textbox", { name: "New post" }).waitFor();
  });
});

test("copies and history", async (t) => {
  const [chromium, alice, bob] = await Promise.all([browser(t), home(t, "alice"), home(t, "bob")]);
  const [page, bobs] = await Promise.all([chromium.owner(alice), chromium.owner(bob)]);
  const seen = watch(page, alice.origin);
  const status = await post(alice, "something regretted");
  await bobs.getByLabel("Follow somebody").fill(alice.invite);
  await press(bobs, bobs.getByRole("button", { name: "Follow" }));
  await reloadUntil(bobs, card(bobs, "something regretted"));

  await t.test("the owner sees who holds a copy of a post", async () => {
    await page.goto(alice.origin);
    const own = card(page, "something regretted");
    await own.locator(".menu summary").click();
    await own.getByRole("link", { name: "Who holds a copy" }).click();
    await reloadUntil(page, page.getByRole("status").filter({ hasText: "Held on 1 known copy." }));
    assert.equal(await page.getByRole("listitem").filter({ hasText: "@bob" }).getByText("holds it").count(), 1);
    await screenshot(page, "copies-held");
  });

  await t.test("once it is erased the page says what became of each copy", async () => {
    await page.getByRole("link", { name: "Back to the post" }).click();
    const own = card(page, "something regretted");
    await own.locator(".menu summary").click();
    await press(page, own.getByRole("button", { name: "Erase" }));
    assert.equal(page.url(), `${alice.origin}/statuses/${status.id}/copies`);
    await reloadUntil(page, page.getByRole("status").filter({ hasText: "Hidden on 1 of 1 known copy." }));
    assert.equal(await page.getByRole("listitem").filter({ hasText: "@bob" }).getByText("hidden").count(), 1);
    await screenshot(page, "copies-erased");
  });

  await t.test("others are not told of it", async () => {
    const answer = await bobs.goto(`${bob.origin}/statuses/${status.xom.entry}/copies`);
    assert.equal(answer.status(), 404);
  });

  await t.test("the history of an identity is told in words, of the own and of others", async () => {
    await page.goto(alice.origin);
    await page.locator("aside .me .who").click();
    await page.getByRole("link", { name: "History" }).click();
    await page.getByRole("heading", { name: "History of this identity" }).waitFor();
    const lines = await page.getByRole("main").getByRole("listitem").allInnerTexts();
    assert.match(lines[0], /^\d+ \w+ \d{4}: made, with device /);
    assert.equal(lines.at(-1), "now: 1 device may speak for it");
    await screenshot(page, "history");
    await bobs.goto(`${bob.origin}/@${alice.did}`);
    await bobs.getByRole("link", { name: "History" }).click();
    await bobs.getByRole("listitem").filter({ hasText: "made, with device" }).waitFor();
  });

  assert.deepEqual(seen, []);
});

test("the copies of everything", async (t) => {
  const [chromium, alice, bob] = await Promise.all([browser(t), home(t, "alice"), home(t, "bob")]);
  const page = await chromium.owner(alice);

  await t.test("nobody holds anything yet, and the page says so", async () => {
    await post(alice, "worth keeping");
    await page.getByRole("link", { name: "Copies", exact: true }).click();
    await page.getByRole("heading", { name: "Copies of your posts" }).waitFor();
    await page.getByText("no live copy on a machine of somebody else").waitFor();
  });

  await t.test("who was asked and keeps is shown with how far and until when", async () => {
    const { invite } = await get(bob, "/api/xom/v1/invites");
    await call(alice, "/api/xom/v1/keepers", { who: invite });
    const { did } = await get(alice, "/api/xom/v1/invites");
    await call(bob, `/api/xom/v1/keeps/${did}/allow`);
    await reloadUntil(page, page.getByText("1 live copy"));
    await reloadUntil(page, page.getByText("keeps until"));
    await reloadUntil(page, page.getByText("kept", { exact: true }));
    await screenshot(page, "holders");
  });
});
