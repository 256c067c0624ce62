// Comfort only: everything works without this file. Sets attributes, never markup.
(() => {
  "use strict";
  const wide = matchMedia("(min-width: 961px)");
  for (const part of document.querySelectorAll("details[data-open-wide]")) part.open = wide.matches;

  function typing(target) {
    return target.closest("input, select, textarea") !== null;
  }

  // "/" goes to the search, "j" and "k" to the next and the previous page.
  addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || typing(event.target)) return;
    if (event.key === "/") {
      const field = document.querySelector("input[type=search]");
      if (field) {
        event.preventDefault();
        field.focus();
      }
    } else if (event.key === "j" || event.key === "k") {
      const link = document.querySelector(`a[data-key="${event.key}"]`);
      if (link) link.click();
    }
  });

  // A form that changes something asks once, in the words the page gave it.
  for (const form of document.querySelectorAll("form[data-confirm]")) {
    form.addEventListener("submit", (event) => {
      if (!confirm(form.dataset.confirm)) event.preventDefault();
    });
  }

  addEventListener("beforeprint", () => {
    for (const part of document.querySelectorAll("details")) part.open = true;
  });
})();
