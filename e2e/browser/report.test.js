// The HTML report, as a person uses it.
import assert from "node:assert/strict";
import test, { after, before } from "node:test";
import { Browser, assertAccessible, missing, ready } from "./lib/browser.js";
import { World, bigReport } from "./lib/shelflife.js";

const skip = missing() || false;
const day = (n) => new Date(Date.now() - n * 86400e3).toISOString();

// hostile has names that would be markup, and an image with all its parts.
const hostile = {
  owners: [{ login: "acme", kind: "organization", packages: [
    { name: "<script>alert(1)</script>", package_type: "npm", versions: [
      { name: "1.0.0-rc.1", created_at: day(90) }, { name: "1.0.0", created_at: day(80) }, { name: "1.1.0", created_at: day(10) }] },
    { name: "team/api", package_type: "container", versions: [
      { key: "v1", created_at: day(5), tags: ["v1.0.0", "latest"], index: ["amd", "arm"] },
      { key: "amd", created_at: day(5), platform: "linux/amd64" }, { key: "arm", created_at: day(5), platform: "linux/arm64" },
      { key: "sig", created_at: day(5), cosign_signature_of: "v1" },
      { key: "young", created_at: day(2), platform: "linux/amd64" },
      { key: "old", created_at: day(60), index: ["oldamd"] }, { key: "oldamd", created_at: day(60), platform: "linux/amd64" },
      { key: "pr", created_at: day(40), tags: ["pr-7"] }] }] }],
};

let world, browser;
before(async () => {
  if (skip) return;
  world = await World.open(hostile, { tagged: 1, untagged: 1 });
  browser = await Browser.open();
});
after(async () => {
  if (skip) return;
  await browser.close();
  await world.close();
});

const rowTexts = (page) => page.locator("[data-kind=items] table.rows tbody tr:not(.details)").allInnerTexts();

test("a plan opens from a file, and names that would be markup are text", { skip }, async () => {
  const page = await browser.page();
  await page.goto(world.report("plan", "plan", "acme"));
  await ready(page);
  const rows = await rowTexts(page);
  assert.equal(rows.length, 4);
  assert.ok(rows.some((r) => r.includes("<script>alert(1)</script>") && r.includes("1.0.0-rc.1")), rows.join("\n"));
  assert.equal(await page.locator("script").count(), 2);
  assert.match(await page.locator(".tiles").innerText(), /4\s*to delete/);
  await assertAccessible(page, "plan");
  await page.close();
  browser.assertQuiet("file://");
});

test("filters, search and sorting", { skip }, async () => {
  const page = await browser.page();
  await page.goto(world.report("plan", "plan", "acme"));
  await ready(page);
  await page.getByLabel("Search", { exact: true }).fill("pr-7");
  assert.deepEqual((await rowTexts(page)).map((r) => r.includes("expire_pull_requests")), [true]);
  assert.match(await page.locator("p.count").innerText(), /1 of 4/);
  assert.equal(new URL(page.url()).hash, "#search=pr-7");
  await page.getByRole("button", { name: "Show all" }).click();
  assert.equal((await rowTexts(page)).length, 4);
  await page.getByLabel("Type").selectOption("npm");
  assert.equal((await rowTexts(page)).length, 1);
  await page.getByLabel("Type").selectOption("");
  await page.getByLabel("Policy").selectOption("expire_untagged");
  assert.equal((await rowTexts(page)).length, 2);
  await page.getByRole("button", { name: "Show all" }).click();
  await page.locator(".overview button", { hasText: "expire_prereleases" }).click();
  assert.equal((await rowTexts(page)).length, 1);
  await page.getByRole("button", { name: "Show all" }).click();
  await page.getByLabel("Search", { exact: true }).fill("nothing has this");
  assert.match(await page.locator("p.count").innerText(), /0 of 4/);
  await page.getByRole("button", { name: "Show all" }).click();

  const ages = async () => (await page.locator("[data-kind=items] tbody td.right").allInnerTexts()).map((t) => parseInt(t, 10)).filter((n) => !Number.isNaN(n));
  await page.getByRole("button", { name: "Age", exact: true }).click();
  assert.deepEqual(await ages(), (await ages()).toSorted((a, b) => a - b));
  assert.equal(await page.locator("th[aria-sort]").getAttribute("aria-sort"), "ascending");
  await page.getByRole("button", { name: "Age", exact: true }).click();
  assert.deepEqual(await ages(), (await ages()).toSorted((a, b) => b - a));
  await page.close();
});

test("a linked filter is set when the page opens", { skip }, async () => {
  const page = await browser.page();
  await page.goto(world.report("plan", "plan", "acme") + "#policy=expire_untagged&status=planned");
  await ready(page);
  assert.equal((await rowTexts(page)).length, 2);
  await page.close();
});

test("a row opens to its rules and its unit, by keyboard alone", { skip }, async () => {
  const page = await browser.page();
  await page.goto(world.report("plan", "plan", "acme"));
  await ready(page);
  await page.keyboard.press("Tab");
  assert.equal(await page.evaluate(() => document.activeElement.textContent), "Skip to the content");
  let reached = false;
  for (let i = 0; i < 60 && !reached; i++) {
    await page.keyboard.press("Tab");
    reached = await page.evaluate(() => document.activeElement.matches("td.version button") && getComputedStyle(document.activeElement).outlineStyle !== "none");
  }
  assert.ok(reached, "the version's button can be reached and is seen to be");
  await page.keyboard.press("Enter");
  const details = page.locator("tr.details");
  await details.waitFor();
  assert.match(await details.innerText(), /Asked for by/);
  assert.equal(await page.evaluate(() => document.activeElement.getAttribute("aria-expanded")), "true");
  await assertAccessible(page, "an open row");
  await page.keyboard.press("Enter");
  assert.equal(await details.count(), 0);
  const root = page.locator("table.rows tr", { hasText: "expire_untagged" }).first();
  await root.locator("button").click();
  assert.match(await details.innerText(), /Goes together, whole or not at all/);
  await page.close();
});

test("the theme follows the system and the button", { skip }, async () => {
  const page = await browser.page();
  const url = world.report("plan", "plan", "acme");
  const background = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
  await page.emulateMedia({ colorScheme: "light" });
  await page.goto(url);
  await ready(page);
  const light = await background();
  await page.emulateMedia({ colorScheme: "dark" });
  const dark = await background();
  assert.notEqual(light, dark);
  await assertAccessible(page, "dark");
  await page.locator("#theme").click();
  assert.equal(await background(), light);
  await page.reload();
  await ready(page);
  assert.equal(await background(), light, "the choice is kept");
  await page.locator("#theme").click();
  await page.emulateMedia({ colorScheme: "light" });
  assert.equal(await background(), dark);
  await page.locator("#theme").click();
  await page.close();
});

test("paper is light, without controls, and has the rows", { skip }, async () => {
  const page = await browser.page();
  await page.emulateMedia({ media: "print", colorScheme: "dark" });
  await page.goto(world.report("plan", "plan", "acme"));
  await ready(page);
  assert.equal(await page.evaluate(() => getComputedStyle(document.body).backgroundColor), "rgb(255, 255, 255)");
  assert.equal(await page.locator(".filters").first().isVisible(), false);
  assert.equal((await rowTexts(page)).length, 4);
  assert.ok((await page.pdf({ format: "A4" })).length > 10_000);
  await page.close();
});

test("explain draws the image with what belongs to it", { skip }, async () => {
  const page = await browser.page();
  await page.goto(world.report("explain", "explain", "acme/container/team/api"));
  await ready(page);
  const drawing = page.locator(".drawing", { hasText: "latest" });
  assert.equal(await drawing.locator("g.node").count(), 4, "index, two images, signature");
  assert.equal(await drawing.locator("path.edge").count(), 3);
  assert.equal(await drawing.locator("path.edge.dotted").count(), 1, "the signature");
  await page.getByLabel("Search", { exact: true }).first().fill("pr-7");
  assert.equal(await page.locator(".drawing:visible").count(), 1);
  assert.match(await page.locator("table.rows").innerText(), /linux\/amd64/);
  await assertAccessible(page, "explain");
  await page.close();
  browser.assertQuiet("file://");
});

test("explain of one version has its facts on the same page", { skip }, async () => {
  const page = await browser.page();
  await page.goto(world.report("explain-one", "explain", "acme/container/team/api@latest"));
  await ready(page);
  assert.equal(await page.locator(".drawing").count(), 1);
  assert.match(await page.locator("main").innerText(), /rank_semver/);
  await assertAccessible(page, "explain of one version");
  await page.close();
});

test("other results are pages too", { skip }, async () => {
  for (const [name, ...args] of [["runs", "runs"], ["policies", "policy", "list"], ["packages", "packages", "list", "acme"], ["query", "query", "SELECT name, package_type FROM org_packages"]]) {
    const page = await browser.page();
    await page.goto(world.report(name, ...args));
    await ready(page);
    await assertAccessible(page, name);
    await page.close();
  }
  browser.assertQuiet("file://");
});

// How many shades of colour a canvas shows, and a sum that depends on all of its
// pixels. They are those of a copy: the browser warns of a page whose own canvas is
// read more than once.
const drawn = (canvas) =>
  canvas.evaluate((c) => {
    const copy = document.createElement("canvas");
    [copy.width, copy.height] = [c.width, c.height];
    const context = copy.getContext("2d", { willReadFrequently: true });
    context.drawImage(c, 0, 0);
    const { data } = context.getImageData(0, 0, c.width, c.height);
    return { shades: new Set(data).size, sum: data.reduce((sum, value) => (31 * sum + value) % 1000003, 0) };
  });

// The first drawing that is not this one; the last one seen where none comes.
async function other(first, look) {
  for (let i = 0; ; i++) {
    const seen = await look();
    if (seen.sum !== first.sum || i === 100) return seen;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

test("runs over several days have a chart, and its numbers as a table", { skip }, async () => {
  const page = await browser.page();
  await page.goto(bigReport("runs", world.dir));
  await ready(page);
  assert.equal(await page.locator(".chart canvas").count(), 1);
  assert.match(await page.locator(".chart").getAttribute("aria-label"), /What the listed runs did/);
  const light = await drawn(page.locator(".chart canvas"));
  assert.ok(light.shades > 4, "something is drawn");
  await page.getByText("The numbers").click();
  assert.equal(await page.locator("details tbody tr").count(), 30);
  await page.emulateMedia({ colorScheme: "dark" });
  const dark = await other(light, () => drawn(page.locator(".chart canvas")));
  assert.ok(dark.shades > 4, "something is drawn in the other theme");
  assert.notEqual(dark.sum, light.sum, "it is drawn again for the other theme");
  await assertAccessible(page, "a chart");
  await page.close();
  browser.assertQuiet("file://");
});

test("the page's policy holds: no other script, no markup from text, no request", { skip }, async () => {
  const own = await Browser.open();
  const page = await own.page();
  await page.goto(world.report("plan", "plan", "acme"));
  await ready(page);
  const ran = await page.evaluate(async () => {
    const tried = {};
    const attempt = async (name, f) => {
      try {
        await f();
        tried[name] = "went through";
      } catch (e) {
        tried[name] = e.name;
      }
    };
    await attempt("markup", () => { document.body.innerHTML = "<b>x</b>"; });
    await attempt("script", () => {
      const s = document.createElement("script");
      s.append(document.createTextNode("window.ran = true"));
      document.body.append(s);
      if (!window.ran) throw new RangeError("it did not run");
    });
    await attempt("request", () => fetch("http://127.0.0.1:9/"));
    await attempt("image", () => new Promise((ok, no) => {
      const img = new Image();
      img.onload = ok;
      img.onerror = () => no(new RangeError("refused"));
      img.src = "http://127.0.0.1:9/x.png";
    }));
    return tried;
  });
  assert.deepEqual(ran, { markup: "TypeError", script: "RangeError", request: "TypeError", image: "RangeError" });
  assert.ok(own.complaints.filter((c) => /Content.Security.Policy|TrustedHTML/.test(c)).length >= 3, own.complaints.join("\n"));
  await own.close();
});
