// What these pages do where scripts run. Without one they work, too: a secret is pasted, and times are UTC.

// What stands behind the # of a link is sent to nobody: it fills the field that waits for it, and is taken away.
// Whoever has to sign in first takes it along.
const field = document.querySelector("[data-fragment]");
if (field && location.hash) {
  field.value = location.hash.slice(1);
  history.replaceState(null, "", location.pathname + location.search);
}
for (const form of document.querySelectorAll("[data-keeps-fragment]")) form.action += location.hash;

for (const time of document.querySelectorAll("time"))
  time.textContent = new Date(time.dateTime).toLocaleString([], { dateStyle: "medium", timeStyle: "short" });

for (const box of document.querySelectorAll("[data-shows]")) {
  box.closest("label").hidden = false;
  box.addEventListener("change", () => {
    for (const each of box.form.querySelectorAll("[autocomplete$=password]")) each.type = box.checked ? "text" : "password";
  });
}
