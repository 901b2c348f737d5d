// Login, logout, and forms that are not from the login.

import assert from "node:assert/strict";
import { test } from "node:test";

import { browser, card, press } from "./browser.js";
import { home } from "./home.js";

test("login", async (t) => {
  const [chromium, alice] = await Promise.all([browser(t), home(t, "alice")]);

  await t.test("without a login every page shows only how to log in", async () => {
    const page = await chromium.visitor();
    for (const path of ["/", "/public", "/notifications", "/tags/xom", `/@${alice.did}`]) {
      const answer = await page.goto(alice.origin + path);
      assert.equal(answer.status(), path === "/" ? 200 : 401, path);
      await page.getByRole("heading", { name: "Log in" }).waitFor();
      assert.equal(await page.locator("form:not([action='/login']), nav, aside, article").count(), 0, path);
      const text = await page.content();
      for (const secret of [alice.did, "alice", alice.token]) assert.ok(!text.includes(secret), `${path}: ${secret}`);
    }
  });

  await t.test("the printed link logs in once and is dead the second time", async () => {
    const page = await chromium.visitor();
    await page.goto(alice.login);
    assert.equal(page.url(), `${alice.origin}/`);
    await page.getByRole("textbox", { name: "New post" }).waitFor();
    const [cookie] = await page.context().cookies();
    assert.deepEqual([cookie.httpOnly, cookie.sameSite, cookie.path], [true, "Strict", "/"]);
    assert.equal(await page.evaluate(() => document.cookie), "");

    const second = await chromium.visitor();
    const answer = await second.goto(alice.login);
    assert.equal(answer.status(), 403);
    await second.getByText("has been used already").waitFor();
    assert.deepEqual(await second.context().cookies(), []);

    await page.reload();
    await page.getByRole("textbox", { name: "New post" }).waitFor();
  });

  await t.test("a form with the token of another login, or with none, is refused", async () => {
    const [page, other] = [await chromium.owner(alice), await chromium.owner(alice)];
    const foreign = await other.locator("form.composer input[name=csrf]").inputValue();
    for (const token of [foreign, "guessed", ""]) {
      await page.goto(alice.origin);
      await page.locator("form.composer input[name=csrf]").evaluate((field, value) => (field.value = value), token);
      await page.getByRole("textbox", { name: "New post" }).fill("written by mallory");
      const answer = await press(page, page.getByRole("button", { name: "Post" }));
      assert.equal(answer.status(), 403, token);
      await page.getByText("The form is not from this login").waitFor();
    }
    await page.goto(alice.origin);
    assert.equal(await card(page, "written by mallory").count(), 0);
  });

  await t.test("a form sent from a page of another origin is refused", async () => {
    const page = await chromium.owner(alice);
    const csrf = await page.locator("form.composer input[name=csrf]").inputValue();
    await page.goto("data:text/html,<title>mallory</title>");
    await page.evaluate(
      ([action, token]) => {
        document.body.innerHTML = `<form method=post action="${action}"><input name=csrf value="${token}">
          <input name=status value="written by mallory"><button>win</button></form>`;
      },
      [`${alice.origin}/statuses`, csrf],
    );
    const answer = await press(page, page.getByRole("button", { name: "win" }));
    assert.ok([401, 403].includes(answer.status()), `${answer.status()}`);
    await page.goto(alice.origin);
    assert.equal(await card(page, "written by mallory").count(), 0);
  });

  await t.test("after the logout the cookie opens nothing any more", async () => {
    const page = await chromium.owner(alice);
    const cookies = await page.context().cookies();
    await press(page, page.getByRole("button", { name: "Log out" }));
    await page.getByRole("heading", { name: "Log in" }).waitFor();
    assert.deepEqual(await page.context().cookies(), []);

    await page.context().addCookies(cookies);
    await page.goto(alice.origin);
    await page.getByRole("heading", { name: "Log in" }).waitFor();
    assert.equal(await page.locator("form:not([action='/login'])").count(), 0);
  });
});
