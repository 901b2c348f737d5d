// The composer and the forms of a card, in a browser that runs no scripts.

import assert from "node:assert/strict";
import { test } from "node:test";

import { browser, card, press } from "./browser.js";
import { home } from "./home.js";

const PICTURE = new URL("fixtures/field.png", import.meta.url).pathname;

test("posting", async (t) => {
  const [chromium, alice] = await Promise.all([browser(t), home(t, "alice")]);
  const page = await chromium.owner(alice, { javaScriptEnabled: false });
  const composer = page.locator("form.composer");
  const publish = () => press(page, composer.getByRole("button", { name: /^(Post|Reply)$/ }));

  await t.test("a post appears in the home timeline as it was written", async () => {
    const text = "Xin chào xóm! <b>not bold</b> & \"quoted\"";
    await composer.getByRole("textbox", { name: "New post" }).fill(`${text}\nsecond line #hamlet`);
    await publish();
    await card(page, text).waitFor();
    assert.equal(await card(page, text).locator("b").count(), 0);
    await card(page, text).getByRole("link", { name: "#hamlet" }).waitFor();
    await page.getByText("1 post", { exact: true }).waitFor();
  });

  await t.test("a content warning hides the text until it is opened", async () => {
    await composer.getByRole("textbox", { name: "New post" }).fill("the butler did it");
    await composer.locator("summary").click();
    await composer.getByRole("textbox", { name: "Content warning" }).fill("how the book ends");
    await publish();
    const status = card(page, "how the book ends");
    await status.waitFor();
    assert.equal(await status.getByText("the butler did it").isVisible(), false);
    await status.getByText("how the book ends").click();
    assert.equal(await status.getByText("the butler did it").isVisible(), true);
  });

  await t.test("a picture is shown with its description", async () => {
    await composer.getByRole("textbox", { name: "New post" }).fill("from my window");
    await composer.locator("summary").click();
    await composer.getByLabel("Picture, sound or video").setInputFiles(PICTURE);
    await composer.getByRole("textbox", { name: /^Description/ }).fill("a rice field in the evening");
    await publish();
    const picture = card(page, "from my window").getByRole("img", { name: "a rice field in the evening" });
    await picture.scrollIntoViewIfNeeded();
    await page.waitForLoadState("networkidle");
    assert.deepEqual(await picture.evaluate((img) => [img.naturalWidth, img.naturalHeight]), [48, 32]);
  });

  await t.test("an empty post is refused and says so", async () => {
    const answer = await publish();
    assert.ok(answer.status() >= 400 && answer.status() < 500, `${answer.status()}`);
    await press(page, page.getByRole("link", { name: "Back home" }));
  });

  await t.test("like and boost are given and taken back", async () => {
    const button = (name) => card(page, "Xin chào xóm!").last().getByRole("button", { name: new RegExp(`^${name}`) });
    for (const [give, take] of [["Like", "Take the like back"], ["Boost", "Take the boost back"]]) {
      await press(page, button(give));
      assert.equal(await button(take).getAttribute("aria-pressed"), "true");
      assert.equal(await button(take).locator(".count").innerText(), "1");
      await press(page, button(take));
      assert.equal(await button(give).getAttribute("aria-pressed"), "false");
      assert.equal(await button(give).locator(".count").innerText(), "");
    }
  });

  await t.test("a reply stands under the post that it answers", async () => {
    await press(page, card(page, "from my window").getByRole("link", { name: /^Reply/ }));
    await composer.getByRole("textbox").fill("and from my door");
    await publish();
    await page.locator(".focus", { hasText: "from my window" }).waitFor();
    await page.locator(".descendants article", { hasText: "and from my door" }).waitFor();
  });

  await t.test("an erased post is gone from the page", async () => {
    await page.goto(alice.origin);
    const status = card(page, "how the book ends");
    await status.locator(".menu summary").click();
    await press(page, status.getByRole("button", { name: "Erase" }));
    await page.getByRole("status").filter({ hasText: "No copy was known when it was erased." }).waitFor();
    await page.goto(alice.origin);
    assert.equal(await card(page, "how the book ends").count(), 0);
  });
});
