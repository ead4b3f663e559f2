// Arrow keys go through the months, unless somebody types.
addEventListener('keydown', (e) => {
  if (e.altKey || e.ctrlKey || e.metaKey || e.shiftKey || e.target.closest('input, select, textarea')) return
  const rel = { ArrowLeft: 'prev', ArrowRight: 'next' }[e.key]
  document.querySelector(`a[rel=${rel}]`)?.click()
})
