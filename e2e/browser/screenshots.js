// The pictures in the docs, from the real thing: screenshots.js writes docs/images.
import { mkdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { Browser, ready } from "./lib/browser.js";
import { World, bigReport, root } from "./lib/shelflife.js";

const images = join(root, "docs", "images");
const limit = 200 << 10; // bytes
const size = { width: 1200, height: 760 };

async function picture(page, name, { full = false, height = size.height } = {}) {
  const path = join(images, name + ".png");
  await page.setViewportSize({ width: size.width, height });
  await page.screenshot({ path, fullPage: full, animations: "disabled", caret: "hide" });
  const bytes = statSync(path).size;
  if (bytes > limit) throw new Error(path + " has " + bytes + " bytes, more than " + limit);
  console.log(path + ": " + Math.round(bytes / 1024) + " KB");
}

async function report(browser, world) {
  const page = await browser.page();
  await page.setViewportSize(size);
  await page.goto(bigReport(12_000, world.dir));
  await ready(page);
  await picture(page, "report", { height: 1000 });
  await page.emulateMedia({ colorScheme: "dark" });
  await page.getByLabel("Search", { exact: true }).fill("service-0012");
  await page.locator("[data-kind=items] td.version button").nth(3).click();
  await page.locator(".filters").first().evaluate((node) => scrollTo(0, node.getBoundingClientRect().top + scrollY - 20));
  await picture(page, "report-dark");
  await page.emulateMedia({ colorScheme: "light" });
  await page.goto(world.report("explain", "explain", "acme/container/team/api@latest"));
  await ready(page);
  await picture(page, "report-graph");
  await page.close();
}

async function dashboard(browser, world) {
  world.run("run", "--yes");
  const address = await world.serve();
  await fetch(world.api + "/orgs/acme/packages/npm/widgets", { method: "DELETE", headers: { Authorization: "Bearer sim-token" } });
  const page = await browser.page();
  await page.setViewportSize(size);
  await page.goto(address.href);
  await page.getByRole("button", { name: "Sign in" }).click();
  await picture(page, "dashboard", { height: 960 });
  await page.getByRole("button", { name: /^Undo/ }).first().click();
  await page.waitForURL(/\/undo\//);
  await picture(page, "undo");
  await page.close();
}

mkdirSync(images, { recursive: true });
const world = await World.open();
const browser = await Browser.open();
try {
  await report(browser, world);
  await dashboard(browser, world);
} finally {
  await browser.close();
  await world.close();
}
