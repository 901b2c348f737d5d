// Two nodes, each with its owner's browser.

import assert from "node:assert/strict";
import { test } from "node:test";

import { browser, card, press, reloadUntil } from "./browser.js";
import { home, post } from "./home.js";

test("following", async (t) => {
  const [chromium, alice, bob] = await Promise.all([browser(t), home(t, "alice"), home(t, "bob")]);
  const [alices, bobs] = [await chromium.owner(alice), await chromium.owner(bob)];

  await t.test("who pastes an invite reads the posts of the one who gave it", async () => {
    await post(alice, "hello from alice");
    const invite = await alices.getByRole("textbox", { name: "Your invite link" }).inputValue();
    await bobs.getByRole("textbox", { name: "Follow somebody" }).fill(invite);
    await press(bobs, bobs.getByRole("button", { name: "Follow", exact: true }));
    await bobs.getByRole("button", { name: "Unfollow" }).waitFor();
    await bobs.goto(bob.origin);
    await reloadUntil(bobs, card(bobs, "hello from alice"));
    await post(alice, "and one more");
    await reloadUntil(bobs, card(bobs, "and one more"));
  });

  await t.test("the author hears of the follower, the like and the answer", async () => {
    await press(bobs, card(bobs, "hello from alice").getByRole("button", { name: /^Like/ }));
    await press(bobs, card(bobs, "hello from alice").getByRole("link", { name: /^Reply/ }));
    await bobs.getByRole("textbox", { name: "New post" }).fill("hello from bob");
    await press(bobs, bobs.locator("form.composer").getByRole("button", { name: "Reply" }));

    await alices.goto(`${alice.origin}/notifications`);
    for (const what of ["follows you", "likes your post", "hello from bob"]) {
      await reloadUntil(alices, alices.locator("main").getByText(what));
    }
  });

  await t.test("an unfollow counts at once", async () => {
    await press(bobs, card(bobs, "hello from alice").first().locator("a.who").first());
    await press(bobs, bobs.getByRole("button", { name: "Unfollow" }));
    await bobs.getByRole("button", { name: "Follow", exact: true }).first().waitFor();
    await bobs.goto(bob.origin);
    assert.equal(await bobs.getByText("0 following", { exact: true }).count(), 1);
  });
});
