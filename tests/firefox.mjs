// Firefox at the other end of a pipe: a request a line, an answer a line. tests/engines.py asks.
//     node firefox.mjs path/of/puppeteer-core path/of/firefox
import { createInterface } from "node:readline";
import { pathToFileURL } from "node:url";

const [library, executablePath] = process.argv.slice(2);
const puppeteer = (await import(pathToFileURL(library))).default;
const browser = await puppeteer.launch({ browser: "firefox", executablePath });
const page = await browser.newPage();
let problems = [];
page.on("pageerror", (error) => problems.push(error.message));
page.on("console", (said) => said.type() === "error" && problems.push(said.text()));
page.on("requestfailed", (request) => problems.push(request.url()));

const actions = {
  open: async (url, width, height) => {
    problems = [];
    await page.setViewport({ width, height });
    await page.goto(url);
  },
  run: (body, args) => page.evaluate((text, given) => new Function(text).apply(null, given), body, args),
  click: (selector) => page.click(selector),
  point: (x, y) => page.mouse.click(x, y),
  press: (key) => page.keyboard.press(key),
  write: (text) => page.keyboard.type(text),
  problems: () => problems,
};

for await (const line of createInterface({ input: process.stdin })) {
  const [name, ...given] = JSON.parse(line);
  let answer;
  try {
    answer = { value: (await actions[name](...given)) ?? null };
  } catch (error) {
    answer = { error: `${name}: ${error.message}` };
  }
  console.log(JSON.stringify(answer));
}
await browser.close();
