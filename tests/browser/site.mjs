// The blog in a browser: reading, writing, relating, with and without script, on paper widths from
// phone to desktop, in light and dark. Prints a line for each check; exit code 1 if any failed.
//
// BASE_URL names a server with the first posts and ADMIN_PASSWORD its admin's password; `run` starts one.
// Screenshots go to tests/out/browser.

import { chromium } from "playwright-core";
import { createRequire } from "node:module";
import { mkdirSync } from "node:fs";

const base = process.env.BASE_URL ?? "http://127.0.0.1:8000";
const password = process.env.ADMIN_PASSWORD ?? "browser test password";
const out = new URL("../out/browser/", import.meta.url).pathname;
const axe = createRequire(import.meta.url).resolve("axe-core/axe.min.js");
mkdirSync(out, { recursive: true });

const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
  args: ["--no-sandbox"],
});

let passed = 0;
let failed = 0;

async function test(name, options, body) {
  const context = await browser.newContext({ baseURL: base, bypassCSP: options.axe ?? false, ...options });
  const page = await context.newPage();
  page.setDefaultTimeout(15000);
  const wrong = [];
  page.on("pageerror", (error) => wrong.push(String(error)));
  page.on("response", (response) => response.status() >= 500 && wrong.push(`${response.status()} ${response.url()}`));
  try {
    await body(page);
    if (wrong.length) throw new Error(wrong.join("; "));
    passed += 1;
    console.log(`ok      ${name}`);
  } catch (error) {
    failed += 1;
    console.log(`FAILED  ${name}: ${error.message.split("\n")[0]}`);
    await page.screenshot({ path: `${out}failed-${name.replaceAll(" ", "-")}.png` }).catch(() => {});
  } finally {
    await context.close();
  }
}

function expect(what, holds) {
  if (!holds) throw new Error(what);
}

async function logIn(page) {
  await page.goto("/login");
  await page.fill("input[name=name]", "admin");
  await page.fill("input[name=password]", password);
  await page.click("main button");
  await page.waitForSelector("text=Log out");
}

async function publish(page, title, content, tags = "") {
  await page.goto("/new");
  await page.fill("input[name=title]", title);
  await page.fill("textarea[name=content]", content);
  await page.fill("input[name=tags]", tags);
  await page.selectOption("select[name=status]", "published");
  await page.click("button[value=save]");
  await page.waitForSelector("text=Published.");
}

const overflows = (page) => page.evaluate(() => document.documentElement.scrollWidth > innerWidth);

for (const [name, options] of [
  ["desktop light", { viewport: { width: 1200, height: 900 }, colorScheme: "light" }],
  ["desktop dark", { viewport: { width: 1200, height: 900 }, colorScheme: "dark" }],
  ["phone", { viewport: { width: 360, height: 740 }, colorScheme: "light" }],
  ["phone without script", { viewport: { width: 360, height: 740 }, javaScriptEnabled: false }],
]) {
  await test(`pages on ${name}`, options, async (page) => {
    for (const path of ["/", "/welcome/", "/writing-posts/", "/tags", "/language/", "/login"]) {
      await page.goto(path);
      expect(`${path} has no heading`, (await page.locator("h1").count()) === 1);
      if (options.javaScriptEnabled !== false) expect(`${path} is wider than the window`, !(await overflows(page)));
      await page.screenshot({ path: `${out}${name} ${path.replaceAll("/", "") || "home"}.png`.replaceAll(" ", "-"), fullPage: true });
    }
  });
}

for (const colorScheme of ["light", "dark"]) {
  await test(`axe finds nothing, ${colorScheme}`, { colorScheme, axe: true }, async (page) => {
    await logIn(page);
    for (const path of ["/", "/welcome/", "/writing-posts/", "/tags", "/new", "/welcome/edit", "/welcome/relate"]) {
      await page.goto(path);
      await page.addScriptTag({ path: axe });
      const found = await page.evaluate(() => window.axe.run().then((result) => result.violations.map((v) => `${v.id}: ${v.nodes[0].html}`)));
      expect(`${path}: ${found.join("; ")}`, found.length === 0);
    }
  });
}

await test("dark follows the system", { colorScheme: "dark" }, async (page) => {
  await page.goto("/");
  const colour = await page.evaluate(() => getComputedStyle(document.body).backgroundColor);
  expect(`the page is ${colour}`, colour.match(/\d+/g).every((part) => Number(part) < 60));
});

await test("links swap the content, back and forward return", {}, async (page) => {
  await page.goto("/");
  await page.evaluate(() => (window.stillHere = true));
  await page.click("main >> text=Welcome");
  await page.waitForSelector("h1:has-text('Welcome')");
  expect("the whole page was loaded", await page.evaluate(() => window.stillHere));
  expect("the address did not follow", page.url().endsWith("/welcome/"));
  expect("the title did not follow", (await page.title()).startsWith("Welcome"));
  await page.goBack();
  await page.waitForSelector("h1:has-text('Posts')");
  await page.goForward();
  await page.waitForSelector("h1:has-text('Welcome')");
});

await test("log in and out", {}, async (page) => {
  await page.goto("/new");
  expect("a stranger may write", page.url().includes("/login"));
  await page.fill("input[name=name]", "admin");
  await page.fill("input[name=password]", "wrong password");
  await page.click("main button");
  await page.waitForSelector("text=That is not a name with its password.");
  await page.fill("input[name=password]", password);
  await page.click("main button");
  await page.waitForSelector("h1:has-text('New post')");
  await page.click("text=Log out");
  await page.waitForSelector("text=Log in");
});

await test("publish, edit, tag, delete", {}, async (page) => {
  await logIn(page);
  await publish(page, "From a browser", '(article (h1 "From a browser") (p "First version."))', "Browsers");
  await page.waitForSelector("text=First version.");
  await page.click("main >> text=Browsers");
  await page.waitForSelector("main .list >> text=From a browser");
  await page.goto("/from-a-browser/edit");
  await page.fill("textarea[name=content]", '(p "x") (script "y")');
  await page.click("button[value=preview]");
  await page.waitForSelector("text=script is not allowed in content (line 1, column 9");
  await page.fill("textarea[name=content]", '(article (h1 "From a browser") (p "Second version."))');
  await page.click("button[value=preview]");
  await page.waitForSelector("section:has-text('Preview') >> text=Second version.");
  await page.click("button[value=save]");
  await page.waitForSelector("text=Second version.");
  await page.goto("/from-a-browser/edit");
  await page.click("text=Delete this post");
  await page.waitForSelector("text=Deleted “From a browser”.");
});

await test("the picker filters while one types", {}, async (page) => {
  await logIn(page);
  await page.goto("/welcome/relate");
  await page.waitForSelector(".options >> text=Effects in one page");
  await page.locator("input[name=q]").pressSequentially("how", { delay: 20 });
  await page.waitForSelector(".options >> text=Effects in one page", { state: "detached" });
  expect("How to is not offered", (await page.locator(".options >> text=How to").count()) === 1);
  await page.click(".options >> text=How to");
  await page.waitForSelector("text=Related to “How to”.");
  await page.click("[aria-label='Remove How to']");
  await page.waitForSelector("text=No longer related to “How to”.");
});

await test("relating without script", { javaScriptEnabled: false }, async (page) => {
  await logIn(page);
  await page.goto("/welcome/relate?kind=related&q=how");
  await page.click(".options >> text=How to");
  await page.waitForSelector("text=Related to “How to”.");
  await page.click("[aria-label='Remove How to']");
  await page.waitForSelector("text=No longer related to “How to”.");
});

await test("the keyboard reaches the content first", {}, async (page) => {
  await page.goto("/");
  await page.keyboard.press("Tab");
  expect("the first stop is no way to the content", await page.evaluate(() => document.activeElement.textContent === "Skip to content"));
});

await test("two who edit the same post", {}, async (page) => {
  await logIn(page);
  await publish(page, "Shared", '(p "Start.")');
  await page.goto("/shared/edit");
  const other = await page.context().newPage();
  await other.goto("/shared/edit");
  await other.fill("textarea[name=content]", '(p "Theirs.")');
  await other.click("button[value=save]");
  await other.waitForSelector("text=Theirs.");
  await page.fill("textarea[name=content]", '(p "Mine.")');
  await page.click("button[value=save]");
  await page.waitForSelector("text=Somebody else saved this post");
  expect("what was typed is gone", (await page.inputValue("textarea[name=content]")) === '(p "Mine.")');
  await page.click("button[value=save]");
  await page.waitForSelector("text=Mine.");
  await page.goto("/shared/edit");
  await page.click("text=Delete this post");
});

await browser.close();
console.log(`${passed} passed, ${failed} failed; screenshots in ${out}`);
process.exit(failed ? 1 : 0);
