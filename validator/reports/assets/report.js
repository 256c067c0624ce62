// Language switch and filter. Reads attributes and sets text only: nothing here becomes markup.
(() => {
  "use strict";
  const root = document.documentElement;
  const all = (selector, from = document) => [...from.querySelectorAll(selector)];

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

  for (const button of all("[data-set-lang]")) {
    button.addEventListener("click", () => setLanguage(button.dataset.setLang));
  }
  const asked = new URLSearchParams(location.search).get("lang");
  setLanguage(asked === "zh" || asked === "en" ? asked : root.dataset.lang);

  const filter = document.querySelector(".filter");
  if (!filter) return;
  const stage = document.getElementById("by-stage");
  const table = document.getElementById("by-table");
  const rule = document.getElementById("by-rule");
  const severities = all("input[type=checkbox]", filter);
  const groups = all(".group");

  function wanted(group) {
    const { stage: s, table: t, severity, rule: r } = group.dataset;
    const words = rule.value.trim().toLowerCase().split(/\s+/);
    return (
      (!stage.value || stage.value === s) &&
      (!table.value || table.value === t) &&
      severities.some((box) => box.checked && box.value === severity) &&
      words.every((word) => r.toLowerCase().includes(word))
    );
  }

  function apply() {
    for (const group of groups) group.hidden = !wanted(group);
    for (const part of all("details.table, section.stage")) {
      part.hidden = all(".group", part).every((group) => group.hidden);
    }
    const shown = groups.filter((group) => !group.hidden).length;
    for (const place of all("[data-shown]")) place.textContent = shown;
    for (const place of all("[data-all]")) place.textContent = groups.length;
    document.querySelector(".nothing").hidden = shown > 0;
  }

  filter.hidden = false;
  filter.addEventListener("input", apply);
  apply();

  addEventListener("beforeprint", () => {
    for (const part of all("details")) part.open = true;
  });
})();
