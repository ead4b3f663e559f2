// Takes a picture of each page: node shots.mjs FOLDER [name?query ...]. Starts the page's server itself.
import { mkdirSync } from 'node:fs';
import { createServer } from 'vite';
import puppeteer from 'puppeteer-core';

const [folder = 'shots', ...asked] = process.argv.slice(2);
const pages = asked.length ? asked : ['live?theme=dark', 'opd?theme=light', 'vertical?theme=light', 'monev?theme=light', 'provinsi?theme=light', 'pipeline?theme=dark'];
mkdirSync(folder, { recursive: true });
const server = await (await createServer()).listen();
const browser = await puppeteer.launch({ executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', args: ['--no-sandbox', '--disable-gpu', '--lang=id-ID'], env: { ...process.env, LANGUAGE: 'id_ID' }, headless: true });
let failed = false;
for (const asked of pages) {
  const [name, search = ''] = asked.split('?');
  const page = await browser.newPage();
  await (await page.createCDPSession()).send('Emulation.setLocaleOverride', { locale: 'id-ID' }); // numbers as its readers see them
  const width = Number(new URLSearchParams(search).get('width') ?? 1600);
  await page.setViewport({ width, height: 1000, deviceScaleFactor: Number(process.env.SCALE ?? 1) });
  page.on('pageerror', (e) => { failed = true; console.error(name, String(e.stack ?? e).slice(0, 600)); });
  await page.goto(`http://127.0.0.1:19173/?d=${name}&${search}`, { waitUntil: 'domcontentloaded', timeout: 90000 });
  await page.waitForFunction(() => document.body.dataset.panels && Number(document.body.dataset.done) >= Number(document.body.dataset.panels), { timeout: 90000 });
  await new Promise((r) => setTimeout(r, 1500)); // fonts and the last drawing
  const errors = await page.$$eval('[data-error]', (all) => all.map((e) => e.getAttribute('data-error')));
  for (const e of errors) { failed = true; console.error(name, e); }
  await (await page.$('#root > div')).screenshot({ path: `${folder}/${name}.webp`, type: 'webp', quality: 80 });
  console.log(`${folder}/${name}.webp`);
  await page.close();
}
await browser.close();
await server.close();
process.exit(failed ? 1 : 0);
