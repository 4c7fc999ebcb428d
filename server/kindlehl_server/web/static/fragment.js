// What stands behind the # of a link is sent to nobody: it fills the field that waits for it, and is taken away.
const field = document.querySelector("[data-fragment]");
const said = decodeURIComponent(location.hash.slice(1));
if (field && said) {
  field.value = said;
  history.replaceState(null, "", location.pathname + location.search);
}
