import { describe, expect, it } from '@jest/globals';
import { Screen } from './cluster.js';

describe('Screen', () => {
  const screen = (
    isInPlace: boolean,
    rows = 4,
    columns = 5,
  ): { readonly screen: Screen; readonly written: string[] } => {
    const written: string[] = [];
    const write = (text: string | Uint8Array): boolean => written.push(String(text)) > 0;
    return { screen: new Screen({ write, rows, columns }, isInPlace), written };
  };

  it('writes over what it has written, and never scrolls', () => {
    const { screen: terminal, written } = screen(true);
    terminal.show('1234567\n2\n3\n4\n5');
    terminal.close();
    expect(written[1]).toBe('\u001b[H12345\u001b[K\n2\u001b[K\n3\u001b[K\n\u001b[J');
    expect([written[0]?.includes('\u001b[?25l'), written[2]]).toEqual([true, '\u001b[?25h']);
  });

  it('shows something also where the terminal does not know its size', () => {
    const { screen: terminal, written } = screen(true, 0, 0);
    terminal.show('123');
    expect(written[1]).toContain('123');
  });

  it('appends where there is no terminal, and only what is new', () => {
    const { screen: file, written } = screen(false);
    for (const text of ['a', 'a', 'b']) file.show(text);
    file.close();
    expect(written).toEqual(['a\n', 'b\n']);
  });
});
