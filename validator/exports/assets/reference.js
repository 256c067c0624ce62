// Language switch, kept between pages where the browser allows, and search on the first page.
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
    for (const link of all("a[data-page]")) {
      link.href = link.dataset.page.replace("#", `?lang=${lang}#`);
      if (!link.dataset.page.includes("#")) link.href = `${link.dataset.page}?lang=${lang}`;
    }
  }

  for (const button of all("[data-set-lang]")) {
    button.addEventListener("click", () => setLanguage(button.dataset.setLang));
  }
  const asked = new URLSearchParams(location.search).get("lang");
  setLanguage(asked === "zh" || asked === "en" ? asked : root.dataset.lang);

  const search = document.querySelector(".search");
  if (!search) return;
  const tables = all("tr[data-words]");
  const fields = all("#fields tr[data-field]");
  const found = document.getElementById("fields");

  search.addEventListener("input", () => {
    const words = search.value.trim().toLowerCase().split(/\s+/).filter(Boolean);
    const fits = (text) => words.every((word) => text.toLowerCase().includes(word));
    for (const row of tables) row.hidden = !fits(row.dataset.words);
    let shown = 0;
    for (const row of fields) {
      row.hidden = !words.length || shown >= 200 || !fits(row.dataset.field);
      if (!row.hidden) shown += 1;
    }
    found.hidden = !shown;
  });
})();
