// Language, filters, list of violations. Reads data and sets text only: nothing becomes markup.
(() => {
  "use strict";
  const root = document.documentElement;
  const all = (selector, from = document) => [...from.querySelectorAll(selector)];
  const byId = (id) => document.getElementById(id);
  const language = () => (root.dataset.lang === "zh" ? 0 : 1);

  function setLanguage(lang) {
    root.lang = lang === "zh" ? "zh-CN" : "en";
    root.dataset.lang = lang;
    for (const button of all("[data-set-lang]")) {
      button.setAttribute("aria-pressed", String(button.dataset.setLang === lang));
    }
    for (const option of all("option[data-zh]")) {
      option.textContent = lang === "zh" ? option.dataset.zh : option.dataset.en;
    }
  }

  const asked = new URLSearchParams(location.search).get("lang");
  setLanguage(asked === "zh" || asked === "en" ? asked : root.dataset.lang);
  const filter = document.querySelector(".filter");
  if (!filter) {
    for (const button of all("[data-set-lang]")) {
      button.addEventListener("click", () => setLanguage(button.dataset.setLang));
    }
    return;
  }

  // --- data: [use, file, place, key, value, message, division]
  const SEVERITIES = ["error", "warning", "info"];
  const PAGE = 100, PRINTED = 1000;
  const data = (id) => JSON.parse(byId(id).textContent);
  const rows = data("rows"), names = data("names"), titles = data("titles");
  byId("rows").remove();
  const [USE, FILE, PLACE, KEY, VALUE, MESSAGE, DIVISION] = [0, 1, 2, 3, 4, 5, 6];

  function filled(row, part) {
    return names.messages[row[MESSAGE]][part].replace(/[\u0000-\u0014]/g, (gap) => {
      const at = gap.charCodeAt(0);
      return at ? row[KEY][at] : row[VALUE];
    });
  }
  const where = (row) => {
    const file = names.files[row[FILE]], place = row[PLACE];
    return place === null ? file : typeof place === "number" ? `${file}:${place}` : `${file} ${place}`;
  };
  const keyText = (row) => (row[KEY] ? row[KEY].slice(1).join(" ") : "");
  const found = [new Array(rows.length), new Array(rows.length)];
  function haystack(at) {
    const lang = language();
    return (found[lang][at] ??= [
      where(rows[at]), keyText(rows[at]), rows[at][VALUE] ?? "", filled(rows[at], lang),
      ...names.uses[rows[at][USE]].flat(),
    ].join("\n").toLowerCase());
  }

  // --- state: what the address says after #
  const choices = all("select[data-by]", filter);
  const severities = all("input[type=checkbox]", filter);
  const text = byId("by-text");
  let state = { page: 0, sort: "", view: "rows" };

  function readAddress() {
    const told = new URLSearchParams(location.hash.slice(1));
    for (const choice of choices) {
      choice.value = told.get(choice.dataset.by) ?? "";
      if (choice.selectedIndex < 0) choice.value = "";
    }
    const chosen = told.get("severity")?.split(",");
    for (const box of severities) box.checked = !chosen || chosen.includes(box.value);
    text.value = told.get("q") ?? "";
    state = {
      page: Math.max(0, (Number.parseInt(told.get("page") ?? "1", 10) || 1) - 1),
      sort: told.get("sort") ?? "",
      view: told.get("view") === "rules" ? "rules" : "rows",
    };
  }

  function writeAddress() {
    const told = new URLSearchParams();
    for (const choice of choices) if (choice.value) told.set(choice.dataset.by, choice.value);
    const chosen = severities.filter((box) => box.checked).map((box) => box.value);
    if (chosen.length < severities.length) told.set("severity", chosen.join(","));
    if (text.value.trim()) told.set("q", text.value.trim());
    if (state.sort) told.set("sort", state.sort);
    if (state.view === "rules") told.set("view", "rules");
    if (state.page) told.set("page", String(state.page + 1));
    history.replaceState(null, "", `#${told}`);
  }

  // --- which rows, in which order
  let shown = [];

  function select() {
    const chosen = new Set(severities.filter((box) => box.checked).map((box) => box.value));
    const want = Object.fromEntries(choices.map((choice) => [choice.dataset.by, choice.value]));
    const words = text.value.trim().toLowerCase().split(/\s+/).filter(Boolean);
    const uses = names.uses.map(([severity, stage, table, rule]) =>
      chosen.has(severity) && (!want.stage || want.stage === stage) &&
      (!want.table || want.table === table) && (!want.rule || want.rule === rule));
    const listed = new Set(all("option", byId("by-division")).map((option) => option.value));
    const divisions = names.divisions.map((division) =>
      !want.division || want.division === (division !== null && listed.has(division) ? division : "-"));
    shown = [];
    for (let at = 0; at < rows.length; at++) {
      const row = rows[at];
      if (!uses[row[USE]] || !divisions[row[DIVISION]]) continue;
      if (words.length && !words.every((word) => haystack(at).includes(word))) continue;
      shown.push(at);
    }
    order();
  }

  const SORTS = {
    severity: (row) => SEVERITIES.indexOf(names.uses[row[USE]][0]),
    key: keyText,
    field: (row) => names.uses[row[USE]][4].join(" "),
    value: (row) => row[VALUE] ?? "",
    rule: (row) => names.uses[row[USE]][3],
  };

  function order() {
    const down = state.sort.startsWith("-"), by = state.sort.replace("-", "");
    if (by === "where" && down) shown.reverse();
    if (!(by in SORTS)) return;
    const of = new Map(shown.map((at) => [at, SORTS[by](rows[at])]));
    const sign = down ? -1 : 1;
    shown.sort((a, b) => {
      const x = of.get(a), y = of.get(b);
      return x < y ? -sign : x > y ? sign : a - b;
    });
  }

  // --- showing
  const body = document.querySelector(".rows tbody");
  function made(tag, name, ...inside) {
    const node = document.createElement(tag);
    if (name) node.className = name;
    node.append(...inside);
    return node;
  }

  function line(row) {
    const lang = language();
    const [severity, , table, rule, fields] = names.uses[row[USE]];
    const tr = made("tr", "");
    tr.dataset.severity = severity;
    const title = titles.rules[rule]?.[lang] ?? rule;
    const key = (row[KEY] ?? []).slice(1).map((part, at) =>
      made("span", "pair", made("code", "", names.keys[row[KEY][0]][at]), " ", made("bdi", "", part)));
    const named = fields.map((name) =>
      made("span", "pair", made("code", "", name), " ", titles.fields[`${table} ${name}`]?.[lang] ?? ""));
    const mark = row[VALUE] === null
      ? made("mark", "void", titles.empty[lang])
      : made("mark", "", made("bdi", "", row[VALUE]));
    tr.append(
      made("td", "severity", made("span", `pill ${severity}`, titles.severities[severity][lang])),
      made("td", "where", where(row)),
      made("td", "key", ...key),
      made("td", "field", ...named),
      made("td", "value", ...(row[VALUE] === null && !fields.length ? [] : [mark])),
      made("td", "message", made("span", "rule", ...(title === rule ? [] : [`${title} `]), made("code", "", rule)), " ",
        filled(row, lang), made("span", "help", filled(row, 2 + lang))),
    );
    return tr;
  }

  function list(from, count) {
    body.replaceChildren(...shown.slice(from, from + count).map((at) => line(rows[at])));
  }

  const groups = all(".group");
  function cards() {
    const want = Object.fromEntries(choices.map((choice) => [choice.dataset.by, choice.value]));
    for (const group of groups) {
      const { stage, table, severity, rule } = group.dataset;
      group.hidden = !((!want.stage || want.stage === stage) && (!want.table || want.table === table) &&
        (!want.rule || want.rule === rule) &&
        severities.some((box) => box.checked && box.value === severity));
    }
    for (const part of all("details.table, section.stage")) {
      part.hidden = all(".group", part).every((group) => group.hidden);
    }
    return groups.filter((group) => !group.hidden).length;
  }

  function show() {
    const listed = state.view === "rows";
    document.querySelector(".each").hidden = !listed;
    document.querySelector(".by-rule").hidden = listed;
    for (const button of all("[data-view]")) {
      button.setAttribute("aria-pressed", String(button.dataset.view === state.view));
    }
    for (const unit of all("[data-unit]")) unit.hidden = unit.dataset.unit !== state.view;
    byId("by-division").disabled = text.disabled = !listed;
    const count = listed ? shown.length : cards();
    const number = (value) => value.toLocaleString("en-US");
    for (const place of all("[data-shown]")) place.textContent = number(count);
    for (const place of all("[data-all]")) place.textContent = number(listed ? rows.length : groups.length);
    document.querySelector(".nothing").hidden = count > 0;
    if (!listed) return;
    const pages = Math.max(1, Math.ceil(shown.length / PAGE));
    state.page = Math.min(state.page, pages - 1);
    list(state.page * PAGE, PAGE);
    document.querySelector("[data-page]").textContent = `${number(state.page + 1)} / ${number(pages)}`;
    for (const button of all("[data-step]")) {
      const to = state.page + Number(button.dataset.step);
      button.disabled = to < 0 || to >= pages;
    }
    const by = state.sort.replace("-", "");
    for (const button of all("[data-sort]")) {
      const sorted = button.dataset.sort === by ? (state.sort.startsWith("-") ? "descending" : "ascending") : "none";
      button.parentElement.setAttribute("aria-sort", sorted);
    }
  }

  function changed() {
    writeAddress();
    select();
    show();
  }

  for (const button of all("[data-set-lang]")) {
    button.addEventListener("click", () => { setLanguage(button.dataset.setLang); changed(); });
  }
  let waiting = 0;
  filter.addEventListener("input", (event) => {
    state.page = 0;
    clearTimeout(waiting);
    waiting = setTimeout(changed, event.target === text ? 150 : 0);
  });
  for (const button of all("[data-view]")) {
    button.addEventListener("click", () => { state.view = button.dataset.view; changed(); });
  }
  for (const button of all("[data-sort]")) {
    button.addEventListener("click", () => {
      const by = button.dataset.sort;
      state.sort = state.sort === by ? `-${by}` : by;
      state.page = 0;
      changed();
    });
  }
  for (const button of all("[data-step]")) {
    button.addEventListener("click", () => {
      state.page += Number(button.dataset.step);
      writeAddress();
      show();
      document.querySelector(".each").scrollIntoView({ block: "start" });
    });
  }
  function follow() {
    // An anchor (#t3) is a place of the page, no filter.
    if (location.hash && !location.hash.includes("=")) {
      if (state.view !== "rules") { state.view = "rules"; show(); }
      document.querySelector(location.hash.replace(/[^#\w]/g, ""))?.scrollIntoView();
      return;
    }
    readAddress();
    select();
    show();
    if (location.hash.includes("=") && document.readyState === "complete") {
      document.querySelector(".violations").scrollIntoView();
    }
  }
  addEventListener("hashchange", follow);
  filter.hidden = false;
  follow();

  addEventListener("beforeprint", () => {
    for (const part of all("details")) part.open = true;
    if (state.view === "rows") list(0, PRINTED);
  });
  addEventListener("afterprint", show);
})();
