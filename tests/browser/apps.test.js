// Apps: the owner lets one in on the page of consent, sees it, and puts it out.

import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { once } from "node:events";
import { createServer } from "node:http";
import { test } from "node:test";

import { browser, press } from "./browser.js";
import { home, loginLink } from "./home.js";

async function screenshot(page, name) {
  if (process.env.XOM_SCREENSHOTS) await page.screenshot({ path: `${process.env.XOM_SCREENSHOTS}/${name}.png`, fullPage: true });
}

/** A web app on another site: its first page leads to the node, and it is sent back with the answer. */
async function app(t, node) {
  const answers = [];
  const state = { link: "" };
  const server = createServer((request, response) => {
    const address = new URL(request.url, "http://localhost");
    if (address.pathname === "/callback") answers.push(Object.fromEntries(address.searchParams));
    response.setHeader("content-type", "text/html");
    response.end(address.pathname === "/callback" ? "<h1>Back in the app</h1>" : `<a href="${state.link}">Log in with xom</a>`);
  });
  server.listen(0, "localhost");
  await once(server, "listening");
  t.after(() => server.close());
  const origin = `http://localhost:${server.address().port}`;
  const verifier = randomBytes(32).toString("base64url");
  const challenge = createHash("sha256").update(verifier).digest("base64url");
  const send = async (path, body) => {
    const headers = { "content-type": "application/json" };
    const answer = await fetch(node.origin + path, { method: "POST", headers, body: JSON.stringify(body) });
    return { status: answer.status, body: await answer.json() };
  };
  const redirect = `${origin}/callback`;
  const registered = await send("/api/v1/apps", { client_name: "Neighbours", redirect_uris: [redirect], scopes: "read write" });
  const { client_id } = registered.body;
  const query = new URLSearchParams({
    client_id, redirect_uri: redirect, response_type: "code", scope: "read write:statuses", state: "s 1",
    code_challenge: challenge, code_challenge_method: "S256",
  });
  state.link = `${node.origin}/oauth/authorize?${query}`.replaceAll("&", "&amp;");
  const redeem = (code) => send("/oauth/token", {
    grant_type: "authorization_code", client_id, code, redirect_uri: redirect, code_verifier: verifier,
  });
  return { origin, answers, redeem };
}

test("an app is let in and put out", async (t) => {
  const [chromium, alice] = await Promise.all([browser(t), home(t, "alice")]);
  const elsewhere = await app(t, alice);
  const page = await chromium.visitor();

  await t.test("who is not logged in pastes a login link, and is asked then", async () => {
    await page.goto(elsewhere.origin);
    await page.getByRole("link", { name: "Log in with xom" }).click();
    await page.getByLabel("Paste the link here").fill(await loginLink(alice));
    await page.getByRole("button", { name: "Use this link" }).click();
    await page.getByRole("heading", { name: "Let an app in?" }).waitFor();
    await screenshot(page, "consent");
  });

  await t.test("a refusal goes back to the app, and no code with it", async () => {
    await page.getByRole("button", { name: "Refuse" }).click();
    await page.getByRole("heading", { name: "Back in the app" }).waitFor();
    const answer = elsewhere.answers.pop();
    assert.equal(answer.error, "access_denied");
    assert.equal(answer.code, undefined);
  });

  let token;
  await t.test("who is logged in comes from another site, and sees at once who asks for what", async () => {
    await page.goto(elsewhere.origin);
    await page.getByRole("link", { name: "Log in with xom" }).click();
    await page.getByRole("heading", { name: "Let an app in?" }).waitFor();
    const text = await page.getByRole("main").innerText();
    for (const part of ["calls itself “Neighbours”", "@alice", elsewhere.origin, "post, edit and erase in your name"]) {
      assert.ok(text.includes(part), `${part} in ${text}`);
    }
    await page.getByRole("button", { name: "Let it in" }).click();
    await page.getByRole("heading", { name: "Back in the app" }).waitFor();
    const answer = elsewhere.answers.pop();
    assert.equal(answer.state, "s 1");
    assert.equal(answer.iss, alice.origin);
    const made = await elsewhere.redeem(answer.code);
    assert.equal(made.status, 200, JSON.stringify(made.body));
    token = made.body.access_token;
  });

  // Asked from a page of the app itself, as web clients do.
  const home_of_app = () => page.evaluate(async ([origin, bearer]) => {
    const answer = await fetch(`${origin}/api/v1/timelines/home`, { headers: { authorization: `Bearer ${bearer}` } });
    return answer.status;
  }, [alice.origin, token]);

  await t.test("the app calls the node from its own site", async () => assert.equal(await home_of_app(), 200));

  await t.test("the owner sees the app and puts it out", async () => {
    await page.goto(alice.origin);
    await page.getByRole("link", { name: "Apps", exact: true }).click();
    await page.getByRole("listitem").filter({ hasText: "Neighbours" }).waitFor();
    await screenshot(page, "apps");
    await press(page, page.getByRole("button", { name: "Log it out" }));
    await page.getByText("No app has logged in.").waitFor();
    await page.goto(elsewhere.origin);
    assert.equal(await home_of_app(), 401);
  });
});
