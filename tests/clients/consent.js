// What a person does in a browser while a client waits: logs in, reads the page of consent, lets the client in.

import assert from "node:assert/strict";

import { loginLink } from "../browser/home.js";

/** Where clients are sent that show a code. */
export const OUT_OF_BAND = "urn:ietf:wg:oauth:2.0:oob";

/** Lets a client in at the address that it names; answers the code. Without a person it is the node's owner. */
export async function letIn(node, address, person = null) {
  const cookie = person ? await byPassword(node, person) : await byLink(node);
  const page = await fetch(address, { headers: { cookie } });
  const text = await page.text();
  assert.equal(page.status, 200, text);
  const form = new URLSearchParams({ ...hidden(text), answer: "allow" });
  const answer = await fetch(`${node.origin}/oauth/authorize`, {
    method: "POST",
    redirect: "manual",
    headers: { cookie, origin: node.origin },
    body: form,
  });
  if (answer.status === 303) return new URL(answer.headers.get("location")).searchParams.get("code");
  const shown = await answer.text();
  assert.equal(answer.status, 200, shown);
  return shown.match(/value="(xomc_[^"]+)"/)[1];
}

/** The address at which a client asks to be let in. */
export function address(node, clientId, scope) {
  const query = { response_type: "code", client_id: clientId, redirect_uri: OUT_OF_BAND, scope };
  return `${node.origin}/oauth/authorize?${new URLSearchParams(query)}`;
}

/** A token of a client of its own, as a person of the node. */
export async function tokenOf(node, client, scope, person = null) {
  const post = async (path, body) => {
    const answer = await fetch(node.origin + path, { method: "POST", body: new URLSearchParams(body) });
    const text = await answer.text();
    assert.equal(answer.status, 200, text);
    return JSON.parse(text);
  };
  const app = await post("/api/v1/apps", { client_name: client, redirect_uris: OUT_OF_BAND, scopes: scope });
  const code = await letIn(node, address(node, app.client_id, scope), person);
  const { client_id, client_secret } = app;
  const redeem = { grant_type: "authorization_code", client_id, client_secret, code, redirect_uri: OUT_OF_BAND };
  return { app, token: (await post("/oauth/token", redeem)).access_token };
}

async function byLink(node) {
  return cookieOf(await fetch(await loginLink(node), { redirect: "manual" }));
}

async function byPassword(node, { username, password }) {
  const body = new URLSearchParams({ username, password });
  const headers = { origin: node.origin };
  return cookieOf(await fetch(`${node.origin}/login`, { method: "POST", redirect: "manual", headers, body }));
}

async function cookieOf(answer) {
  assert.equal(answer.status, 303, await answer.text());
  return answer.headers.get("set-cookie").split(";")[0];
}

function hidden(page) {
  const fields = page.matchAll(/<input type="hidden" name="([^"]+)" value="([^"]*)"/g);
  return Object.fromEntries([...fields].map(([, name, value]) => [name, plain(value)]));
}

function plain(text) {
  const marks = { amp: "&", lt: "<", gt: ">", quot: '"' };
  return text.replace(/&(amp|lt|gt|quot);/g, (_, mark) => marks[mark]);
}
