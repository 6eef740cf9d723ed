// Sets the theme before anything is painted; loaded as a classic script in the head.
(function () {
  const kept = localStorage.getItem("theme");
  if (kept === "light" || kept === "dark") document.documentElement.dataset.theme = kept;
})();
