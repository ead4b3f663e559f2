// The wallboard: shows what the stream says, and greys as soon as the stream is silent. All text is set as text.
const STALE = 15000; // ms without a word of the service
const AGAIN = 5000; // ms between tries, after the browser gave up by itself
const board = document.getElementById("papan");
const en = document.documentElement.lang === "en";
const t = (id, english) => (en ? english : id);
const locale = en ? "en-GB" : "id-ID";
const number = new Intl.NumberFormat(locale);
const percent = new Intl.NumberFormat(locale, { maximumFractionDigits: 1 });
const clock = new Intl.DateTimeFormat("id-ID", { timeZone: board.dataset.zone, hour: "2-digit", minute: "2-digit", second: "2-digit" }); // in the zone of the centre
const zone = { "Asia/Jakarta": " WIB", "Asia/Makassar": " WITA", "Asia/Jayapura": " WIT" }[board.dataset.zone] ?? "";
const alarm = document.getElementById("putus");

let source, heard = Date.now(), tried = 0, offset = 0, state, version, ended = false;

const put = (key, text) => {
  for (const el of board.querySelectorAll(`[data-k="${key}"]`)) if (el.textContent !== text) el.textContent = text;
};
const tone = (tile, level, sign) => {
  board.querySelector(`[data-tile="${tile}"]`)?.setAttribute("data-level", level);
  put(`${tile}-tanda`, sign);
};
const now = () => Date.now() + offset; // by the service's clock
const count = (n) => (n === undefined ? "–" : number.format(n));
const span = (ms) => {
  const s = Math.max(0, Math.floor(ms / 1000)), pad = (n) => String(n).padStart(2, "0");
  return s < 3600 ? `${Math.floor(s / 60)}:${pad(s % 60)}` : `${Math.floor(s / 3600)}:${pad(Math.floor(s / 60) % 60)}:${pad(s % 60)}`;
};
const ago = (ms) => {
  const s = Math.max(0, Math.floor(ms / 1000));
  if (s < 60) return t(`${s} detik lalu`, `${s} s ago`);
  if (s < 3600) return t(`${Math.floor(s / 60)} menit lalu`, `${Math.floor(s / 60)} min ago`);
  return t(`${Math.floor(s / 3600)} jam lalu`, `${Math.floor(s / 3600)} h ago`);
};

function share(key, w) {
  put(key, w?.offered ? `${percent.format((100 * w.within_target) / w.offered)}${t(" %", "%")}` : "–");
  put(`${key}-n`, !w ? "" : w.offered ? t(`${number.format(w.within_target)} dari ${number.format(w.offered)} panggilan`, `${number.format(w.within_target)} of ${number.format(w.offered)} calls`)
    : t("belum ada panggilan", "no calls yet"));
}

function show(s) {
  if (version && s.version !== version) return location.reload(); // the service is a newer one than this page
  version = s.version;
  const c = s.counts ?? {}, before = state?.counts?.calls_waiting ?? 0;
  state = s;
  put("antre", count(c.calls_waiting));
  tone("antre", c.calls_waiting ? "risk" : "calm", c.calls_waiting ? t("▲ ada yang menunggu", "▲ someone is waiting") : s.counts ? t("✓ tidak ada", "✓ nobody") : "");
  put("darurat", count(c.emergencies_overdue));
  tone("darurat", c.emergencies_overdue ? "late" : "calm", c.emergencies_overdue ? t("▲ lewat batas waktu", "▲ past the due time") : s.counts ? t("✓ tidak ada", "✓ none") : "");
  put("balik", count(c.calls_to_call_back));
  tone("balik", c.calls_to_call_back ? "risk" : "calm", c.calls_to_call_back ? t("▲ belum dihubungi", "▲ not called yet") : s.counts ? t("✓ tidak ada", "✓ none") : "");
  put("target", c.target_seconds === undefined ? "–" : t(`${c.target_seconds} detik`, `${c.target_seconds} s`));
  share("sl-jam", c.hour);
  share("sl-sif", c.shift);
  const known = c.agents?.some((a) => a.n > 0); // of nobody a state is known: that says nothing of how many there are
  for (const k of ["available", "busy", "wrapup", "paused", "offline"]) put(k, count(known ? c.agents.find((a) => a.state === k)?.n : undefined));
  put("masuk", count(c.hour?.received));
  for (const k of ["hoax", "ghost", "unclassified", "abandoned"]) put(k, count(c.hour?.[k]));
  put("other", count(c.hour?.other_class));
  list(s);
  if (!s.complete) link(t("data sedang dimuat", "data is being loaded"), "memuat");
  if (c.calls_waiting > before) beep();
  tick();
}

function list(s) {
  const ol = board.querySelector('[data-k="daftar"]');
  if (!ol) return;
  ol.replaceChildren(...(s.call_backs ?? []).map((c) => {
    const li = document.createElement("li"), id = document.createElement("b"), since = document.createElement("span");
    id.textContent = c.call;
    since.dataset.since = c.since;
    li.append(id, " ", since);
    return li;
  }));
  const more = (s.counts?.calls_to_call_back ?? 0) - (s.call_backs?.length ?? 0);
  put("daftar-kosong", !s.counts ? "–" : more > 0 ? t(`dan ${more} lainnya`, `and ${more} more`) : s.call_backs ? "" : t("tidak ada", "none"));
}

// tick moves what passes with time.
function tick() {
  const silent = Date.now() - heard;
  if (ended) link(t("tautan ini tidak berlaku lagi", "this link is no longer valid"), "putus");
  else if (silent > STALE) link(t(`data terputus, ${ago(silent)}`, `data lost, ${ago(silent)}`), "putus");
  else if (state?.complete) link(t("tersambung", "connected"), "tersambung");
  if (board.dataset.state === "putus") return; // what stands there is of the past: it must not seem to live
  put("jam", clock.format(now()) + zone);
  if (!state) return;
  const since = state.counts?.oldest_waiting_since, wait = since ? now() - Date.parse(since) : 0;
  put("lama", !state.counts ? "–" : since ? span(wait) : "0:00");
  const late = since && wait > 1000 * state.counts.target_seconds;
  tone("lama", late ? "late" : since ? "risk" : "calm", late ? t("▲ lewat target", "▲ past the target") : since ? t("menunggu", "waiting") : state.counts ? t("✓ tidak ada", "✓ nobody") : "");
  const at = state.last_event_at;
  put("data", at ? t(`Data terakhir: ${clock.format(Date.parse(at))} (${ago(now() - Date.parse(at))})`, `Latest data: ${clock.format(Date.parse(at))} (${ago(now() - Date.parse(at))})`) : t("Belum ada data", "No data yet"));
  for (const el of board.querySelectorAll("[data-since]")) el.textContent = ago(now() - Date.parse(el.dataset.since));
}

function link(text, to) {
  put("sambungan", text);
  if (board.dataset.state === to) {
    if (to === "putus") alarm.lastChild.textContent = ` ${text}`;
    return;
  }
  board.dataset.state = to;
  alarm.hidden = to !== "putus";
  alarm.replaceChildren(...(to === "putus" ? [Object.assign(document.createElement("b"), { textContent: t("DATA TERPUTUS", "DATA LOST") }), ` ${text}`] : []));
}

function alive(e) {
  heard = Date.now();
  const at = Date.parse(JSON.parse(e.data).at);
  if (at) offset = at - heard;
}

function open() {
  source?.close();
  tried = Date.now();
  source = new EventSource(board.dataset.stream);
  source.addEventListener("board", (e) => { alive(e); show(JSON.parse(e.data)); });
  source.addEventListener("heartbeat", (e) => { alive(e); tick(); });
  source.addEventListener("end", () => { ended = true; source.close(); tick(); });
}

// The browser comes back by itself after a cut, but not after an answer that is no stream, and after a sleep it may
// hold a connection that died.
function watch() {
  if (Date.now() - tried > (ended ? 12 : 1) * AGAIN && (ended || source.readyState === EventSource.CLOSED || Date.now() - heard > STALE)) {
    ended = false;
    open();
  }
}

// Sound: off until switched on; a browser allows it after the first press of a key or button.
const sound = document.getElementById("suara");
let audio, loud = localStorage.getItem("papan-suara") === "1";
function say() {
  sound.setAttribute("aria-pressed", String(loud));
  put("suara", loud ? t("hidup", "on") : t("mati", "off"));
}
function beep() {
  if (!loud) return;
  audio ??= new AudioContext();
  audio.resume();
  for (const [at, hertz] of [[0, 880], [0.2, 1175]]) {
    const o = audio.createOscillator(), g = audio.createGain();
    o.frequency.value = hertz;
    g.gain.setValueAtTime(0.25, audio.currentTime + at);
    g.gain.exponentialRampToValueAtTime(0.001, audio.currentTime + at + 0.18);
    o.connect(g).connect(audio.destination);
    o.start(audio.currentTime + at);
    o.stop(audio.currentTime + at + 0.2);
  }
}
sound.addEventListener("click", () => {
  loud = !loud;
  localStorage.setItem("papan-suara", loud ? "1" : "0");
  say();
  beep();
});
document.getElementById("penuh").addEventListener("click", () => (document.fullscreenElement ? document.exitFullscreen() : document.documentElement.requestFullscreen()).catch(() => {}));
document.addEventListener("visibilitychange", watch);
addEventListener("online", () => { tried = 0; watch(); });

say();
open();
setInterval(() => { watch(); tick(); }, 250);
