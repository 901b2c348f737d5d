// The first run: words, three of them back, a passphrase; and a node whose device key is sealed.

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { test } from "node:test";

import { browser, press, watch } from "./browser.js";
import { home, loginLink } from "./home.js";

const AXE = createRequire(import.meta.url).resolve("axe-core/axe.min.js");

/** What axe finds on a page. */
async function violations(page) {
  await page.evaluate(await readFile(AXE, "utf8"));
  const found = await page.evaluate(() => window.axe.run());
  return found.violations.map(({ id, nodes }) => `${id}: ${nodes.map((node) => node.target).join(", ")}`);
}

/** Fills in the three words that are asked for. */
async function answer(page, words) {
  for (const field of await page.getByLabel(/^Word number/).all()) {
    const label = await field.evaluate((input) => input.closest("label").textContent);
    await field.fill(words[Number(label.match(/\d+/)[0]) - 1]);
  }
}

test("the first run", async (t) => {
  const [chromium, alice] = await Promise.all([browser(t), home(t, "alice", { confirmed: false })]);
  const page = await chromium.visitor({ viewport: { width: 1000, height: 900 } });
  const seen = watch(page, alice.origin);

  await t.test("after the login link the browser lands on the words", async () => {
    await page.goto(alice.login);
    assert.equal(page.url(), `${alice.origin}/welcome`);
    assert.equal(await page.locator("ol.words li").count(), 24);
    assert.deepEqual(await violations(page), []);
    await picture(page, "words");
  });

  await t.test("it can be postponed with a reminder that stays until the words are confirmed", async () => {
    await press(page, page.getByRole("button", { name: "Later" }));
    assert.equal(page.url(), `${alice.origin}/`);
    await page.getByText("Your 24 words are not confirmed yet").waitFor();
    await picture(page, "reminder");
    assert.deepEqual(await violations(page), []);
    await page.getByRole("link", { name: "Public" }).click();
    await page.getByText("Your 24 words are not confirmed yet").waitFor();
    await page.goto(await loginLink(alice));
    assert.equal(page.url(), `${alice.origin}/`);
  });

  await t.test("three words and a passphrase confirm them", async () => {
    await page.getByRole("link", { name: "Confirm the words" }).click();
    const words = await page.locator("ol.words li").allTextContents();
    await page.getByRole("link", { name: "I have written them down" }).click();
    assert.deepEqual(await violations(page), []);
    await picture(page, "check");
    await answer(page, words);
    await page.getByLabel("Passphrase, at least 8 characters").fill("correct horse battery");
    await page.getByLabel("The same again").fill("correct horse battery");
    await page.getByLabel("Seal the key that posts").check();
    await press(page, page.getByRole("button", { name: "Confirm the words" }));
    assert.equal(page.url(), `${alice.origin}/`);
    assert.equal(await page.getByText("24 words").count(), 0);
    assert.deepEqual(seen, []);
  });

  await t.test("after the next start the page asks for the passphrase before it posts", async () => {
    await alice.restart();
    await page.goto(await loginLink(alice));
    assert.equal(await page.getByRole("textbox", { name: "New post" }).count(), 0);
    await page.getByText("The key that signs your posts is sealed").first().waitFor();
    await picture(page, "sealed");
    assert.deepEqual(await violations(page), []);
    await page.getByRole("link", { name: "Open it" }).first().click();
    await page.getByLabel("Passphrase").fill("battery horse");
    await press(page, page.getByRole("button", { name: "Open it" }));
    await page.getByText("wrong passphrase; nothing was changed").waitFor();
    await page.getByLabel("Passphrase").fill("correct horse battery");
    await press(page, page.getByRole("button", { name: "Open it" }));
    await page.getByRole("textbox", { name: "New post" }).fill("open again");
    await press(page, page.getByRole("button", { name: "Post" }));
    await page.locator("article.status", { hasText: "open again" }).waitFor();
  });
});

/** Keeps a picture where somebody wants to look at it. */
async function picture(page, name) {
  const folder = process.env.XOM_PICTURES;
  if (folder) await page.screenshot({ path: `${folder}/${name}.png`, fullPage: true });
}
