// The import page: a file may be dropped, a choice shows its result at once, an import shows where it stands. Without
// this file the page does the same by its buttons.

const main = document.querySelector("main");

const show = (text) => {
  const fresh = new DOMParser().parseFromString(text, "text/html").querySelector("main");
  if (fresh) main.replaceChildren(...fresh.childNodes);
  begin();
};

const fetchText = async (url, options) => {
  const answer = await fetch(url, options);
  return answer.redirected ? location.assign(answer.url) : answer.text();
};

function dropping(form) {
  const input = form.querySelector("input[type=file]");
  const said = form.querySelector("[data-said]");
  form.addEventListener("submit", () => { said.textContent = said.dataset.sending; });
  input.addEventListener("change", () => { if (input.files.length === 1) form.requestSubmit(); });
  for (const type of ["dragover", "dragleave", "drop"]) {
    form.addEventListener(type, (event) => {
      event.preventDefault();
      form.classList.toggle("over", type === "dragover");
      if (type === "drop" && event.dataTransfer.files.length === 1) {
        input.files = event.dataTransfer.files;
        form.requestSubmit();
      }
    });
  }
}

let asked = 0;

function planning(form) {
  form.addEventListener("change", async (event) => {
    if (event.target.tagName !== "SELECT") return;
    const mine = ++asked;
    const body = new URLSearchParams(new FormData(form));
    body.set("do", "lihat");
    const said = form.querySelector("[data-said]");
    said.textContent = said.dataset.working;
    const left = main.querySelector(".scroll")?.scrollLeft;
    try {
      const text = await fetchText(form.action, { method: "POST", body });
      if (mine !== asked || !text) return; // a later choice is on its way
      const focused = document.activeElement?.name;
      show(text);
      if (focused) main.querySelector(`[name="${CSS.escape(focused)}"]`)?.focus();
      const table = main.querySelector(".scroll");
      if (table) table.scrollLeft = left;
      const done = main.querySelector("[data-said]");
      if (done) done.textContent = done.dataset.fresh;
    } catch {
      said.textContent = "";
      form.querySelector("button[value=lihat]").focus(); // the button says what is wrong
    }
  });
}

async function running() {
  try {
    const text = await fetchText(location.href);
    if (text) show(text);
  } catch {
    setTimeout(running, 2000);
  }
}

function begin() {
  const drop = main.querySelector("[data-drop]");
  const plan = main.querySelector("[data-plan]");
  if (drop) dropping(drop);
  if (plan) planning(plan);
  if (main.querySelector("[data-running]")) setTimeout(running, 500);
}

begin();
