/** What begins a comment, and what may hold the signs of one without being one. */
const PIECE =
  /--[^\r\n]*|\/\*|\b[eE]'(?:[^'\\]|\\[^]|'')*'?|'(?:[^']|'')*'?|"(?:[^"]|"")*"?|(?<![\w$])\$(?:[A-Za-z_\u0080-\uffff][\w\u0080-\uffff]*)?\$/g;

/**
 * The text of a statement with a space for each comment, as PostgreSQL reads it: comments nest, and the signs
 * of one inside a string or a quoted name are none. What a string holds is taken for SQL in its turn, since
 * DO and EXECUTE run it.
 */
export function withoutComments(sql: string): string {
  if (!sql.includes('--') && !sql.includes('/*')) return sql;
  const pieces = new RegExp(PIECE);
  let text = '';
  let from = 0;
  for (let found = pieces.exec(sql); found; found = pieces.exec(sql)) {
    const end = endOfPiece(sql, found.index, found[0]);
    text += sql.slice(from, found.index) + withoutCommentsInside(sql.slice(found.index, end), found[0]);
    from = pieces.lastIndex = end;
  }
  return text + sql.slice(from);
}

function endOfPiece(sql: string, begin: number, opening: string): number {
  if (opening === '/*') return endOfComment(sql, begin);
  if (!opening.startsWith('$')) return begin + opening.length;
  const closing = sql.indexOf(opening, begin + opening.length);
  return closing < 0 ? sql.length : closing + opening.length;
}

function endOfComment(sql: string, begin: number): number {
  const signs = /\/\*|\*\//g;
  signs.lastIndex = begin;
  let depth = 0;
  for (let sign = signs.exec(sql); sign; sign = signs.exec(sql)) {
    depth += sign[0] === '/*' ? 1 : -1;
    if (depth === 0) return signs.lastIndex;
  }
  return sql.length;
}

function withoutCommentsInside(piece: string, opening: string): string {
  if (opening === '/*' || opening.startsWith('--')) return ' ';
  if (opening.startsWith('"')) return piece;
  const quote = opening.startsWith('$') ? opening : piece.slice(0, piece.indexOf("'") + 1);
  const closing = opening.startsWith('$') ? opening : "'";
  const inside = piece.slice(quote.length);
  if (!inside.endsWith(closing)) return quote + withoutComments(inside);
  return quote + withoutComments(inside.slice(0, -closing.length)) + closing;
}
