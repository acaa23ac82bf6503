// Runs before the first paint, so that nobody sees the wrong theme or language flash by.
// The keys are those of src/settings.svelte.ts.
(function () {
  var root = document.documentElement;
  var read = function (key) {
    try {
      return localStorage.getItem(key);
    } catch {
      return null;
    }
  };
  var theme = read('bist.theme');
  if (theme !== 'dark' && theme !== 'light') {
    theme = matchMedia('(prefers-color-scheme: light)').matches ? 'light' : 'dark';
  }
  root.dataset.theme = theme;
  root.lang = read('bist.lang') === 'en' ? 'en' : 'tr';
  if (read('bist.palette') === 'cvd') root.dataset.palette = 'cvd';
})();
