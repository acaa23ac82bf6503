export type Shortcut = 'search' | 'next' | 'previous' | 'theme' | 'help';

interface Press {
  key: string;
  ctrlKey: boolean;
  metaKey: boolean;
  altKey: boolean;
}

/** What a key press asks for. Ctrl+K works always, single keys only while they are switched on. */
export function shortcutOf(press: Press, singleKeys: boolean): Shortcut | null {
  if ((press.ctrlKey || press.metaKey) && !press.altKey) return press.key.toLowerCase() === 'k' ? 'search' : null;
  if (press.altKey || !singleKeys) return null;
  switch (press.key) {
    case '/':
      return 'search';
    case 'j':
      return 'next';
    case 'k':
      return 'previous';
    case 't':
      return 'theme';
    case '?':
      return 'help';
    default:
      return null;
  }
}

/** Keys typed into a field are text, not shortcuts. */
export function isTyping(target: EventTarget | null): boolean {
  return target instanceof Element && target.closest('input, textarea, select, [contenteditable]') !== null;
}
