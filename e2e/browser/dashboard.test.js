// The dashboard of a real shelflife serve, on a simulated GitHub.
import assert from "node:assert/strict";
import { readFileSync, statSync } from "node:fs";
import { createServer } from "node:http";
import { once } from "node:events";
import { join } from "node:path";
import test, { after, before } from "node:test";
import { Browser, assertAccessible, missing, ready } from "./lib/browser.js";
import { World } from "./lib/shelflife.js";

const skip = missing() || false;
let world, browser, address, token;

before(async () => {
  if (skip) return;
  world = await World.open();
  world.run("run", "--yes");
  address = await world.serve();
  token = readFileSync(join(world.dir, "state", "dashboard.token"), "utf8").trim();
  browser = await Browser.open();
});
after(async () => {
  if (skip) return;
  await browser.close();
  await world.close();
});

const at = (path) => address.origin + "/dashboard/" + path;

async function signIn(b, secret = token) {
  const page = await b.page();
  await page.goto(at("login"));
  await page.getByLabel("Token").fill(secret);
  await page.getByRole("button", { name: "Sign in" }).click();
  return page;
}

const writes = async () => (await world.calls()).filter((c) => ["POST", "DELETE"].includes(c.method)).length;

test("a wrong token is refused, and nothing is shown", { skip }, async () => {
  const page = await signIn(browser, "wrong");
  assert.match(await page.getByRole("alert").innerText(), /not the token/);
  await assertAccessible(page, "sign in");
  await page.goto(at("runs"));
  assert.equal(page.url(), at("login"));
  assert.ok(!(await page.content()).includes("acme"));
  await page.close();
  browser.assertQuiet(address.origin, ["status of 401"]);
});

test("the printed address signs in once, and its token file is its owner's", { skip }, async () => {
  const own = await Browser.open({ javaScriptEnabled: false });
  const page = await own.page();
  await page.goto(address.href);
  await page.getByRole("button", { name: "Sign in" }).click();
  assert.equal(page.url(), at(""));
  assert.match(await page.locator("main").innerText(), /acme/);
  const cookie = (await own.context.cookies())[0];
  assert.deepEqual({ httpOnly: cookie.httpOnly, sameSite: cookie.sameSite, path: cookie.path }, { httpOnly: true, sameSite: "Strict", path: "/dashboard/" });
  await own.context.clearCookies();
  await page.goto(address.href);
  await page.getByRole("button", { name: "Sign in" }).click();
  assert.match(await page.getByRole("alert").innerText(), /once/);
  assert.equal(statSync(join(world.dir, "state", "dashboard.token")).mode & 0o777, 0o600);
  assert.ok(!world.server.log.includes(token) && !world.server.log.includes(address.searchParams.get("code")), "no secret in the log");
  await own.close();
});

test("the overview, the runs and a run's report", { skip }, async () => {
  const page = await signIn(browser);
  const text = await page.locator("main").innerText();
  assert.match(text, /7 of 2000/);
  assert.match(text, /29 days/);
  assert.match(text, /expire_untagged/);
  await assertAccessible(page, "overview");
  await page.emulateMedia({ colorScheme: "dark" });
  await assertAccessible(page, "overview, dark");
  await page.emulateMedia({ colorScheme: "light" });
  await page.getByRole("link", { name: "Runs", exact: true }).click();
  await page.locator("tbody a").first().click();
  assert.match(await page.locator("main").innerText(), /7 done/);
  await assertAccessible(page, "a run");
  await page.getByRole("link", { name: "Open the report" }).click();
  await ready(page);
  assert.equal(await page.locator("[data-kind=items] tbody tr").count(), 7);
  await page.locator("input[type=search]").first().fill("widgets");
  assert.equal(await page.locator("[data-kind=items] tbody tr").count(), 1);
  await assertAccessible(page, "the report of a run");
  await page.getByRole("link", { name: "Back to the dashboard" }).click();
  assert.equal(page.url(), at(""));
  await page.close();
  browser.assertQuiet(address.origin, ["status of 401"]);
});

test("pause and resume, by keyboard", { skip }, async () => {
  const page = await signIn(browser);
  await page.getByLabel("Reason").focus();
  await page.keyboard.type("incident 12");
  await page.keyboard.press("Enter");
  await page.getByRole("button", { name: "Resume" }).waitFor();
  assert.match(await page.locator("main").innerText(), /incident 12/);
  assert.equal(readFileSync(join(world.dir, "state", "PAUSE"), "utf8"), "incident 12\n");
  await assertAccessible(page, "paused");
  await page.getByRole("button", { name: "Resume" }).focus();
  await page.keyboard.press("Enter");
  await page.getByRole("button", { name: "Pause" }).waitFor();
  assert.match(world.run("ledger", "export", "acme"), /paused from the dashboard: incident 12/);
  await page.close();
});

test("a form of another site does nothing", { skip }, async () => {
  const page = await signIn(browser);
  const run = (await page.locator("td.mono a").first().innerText()).trim();
  const before = await writes();
  const evil = createServer((_, res) => {
    res.setHeader("Content-Type", "text/html");
    res.end(`<form method="post" action="${at("pause")}"><input name="reason" value="evil"><button>go</button></form>
      <form method="post" action="${at("runs/" + run + "/undo")}"><button>undo</button></form>`);
  }).listen(0, "127.0.0.1");
  await once(evil, "listening");
  for (const host of ["127.0.0.1", "localhost"]) { // the same site on another port, and another site
    for (const name of ["go", "undo"]) {
      const other = await browser.context.newPage();
      await other.goto("http://" + host + ":" + evil.address().port + "/");
      const [answer] = await Promise.all([other.waitForResponse((r) => r.url().startsWith(address.origin)), other.getByRole("button", { name }).click()]);
      assert.equal(answer.status(), 403, host + " " + name);
      await other.close();
    }
  }
  evil.close();
  const stolen = await page.evaluate(async (url) => (await fetch(url, { method: "POST", body: new URLSearchParams({ reason: "no form token" }) }).catch((e) => ({ status: String(e) }))).status, at("pause"));
  assert.ok(stolen === 403 || /TypeError/.test(String(stolen)), String(stolen)); // the page's own policy allows no such request
  await page.reload();
  assert.ok(await page.getByRole("button", { name: "Pause" }).isVisible(), "not paused");
  assert.equal(await writes(), before);
  await page.close();
});

test("undo shows what comes back and what can't, and does it once it is confirmed", { skip }, async () => {
  // Somebody deletes the whole of one package meanwhile: what the run deleted there
  // can't come back.
  const gone = await fetch(world.api + "/orgs/acme/packages/npm/widgets", { method: "DELETE", headers: { Authorization: "Bearer sim-token", Accept: "application/vnd.github+json" } });
  assert.equal(gone.status, 204);
  const page = await signIn(browser);
  const before = await writes();
  await page.getByRole("button", { name: /^Undo/ }).first().click();
  await page.waitForURL(/\/undo\//);
  const text = await page.locator("main").innerText();
  assert.match(text, /6 versions would come back/);
  assert.match(text, /its whole package is gone; restore that first/);
  await assertAccessible(page, "the confirmation");
  await page.getByRole("button", { name: "Restore" }).click();
  assert.ok(page.url().includes("/undo/") && (await writes()) === before, "nothing without the tick");
  await page.getByLabel(/Restore 6 versions/).check();
  await page.getByRole("button", { name: "Restore" }).click();
  await page.getByText("It has ended.").waitFor({ timeout: 60_000 }); // the page loads itself anew
  await page.getByRole("link", { name: "What came of it" }).click();
  assert.match(await page.locator("main").innerText(), /6 done/);
  const api = (await world.state()).get("team/api");
  assert.ok([...api.values()].every((state) => state === "active"), "all of the image is back");
  assert.equal(await writes(), before + 6);
  world.run("ledger", "verify");
  await page.close();
});

test("a name that the dashboard is not reached by is refused", { skip }, async () => {
  const own = await Browser.open({ args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync", "--host-resolver-rules=MAP evil.example 127.0.0.1"] });
  const page = await own.page();
  const answer = await page.goto("http://evil.example:" + address.port + "/dashboard/login");
  assert.equal(answer.status(), 421);
  await own.close();
});
