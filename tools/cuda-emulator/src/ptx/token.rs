//! Words and punctuation of PTX.

/// A piece of PTX, with the line it stands on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Token<'a> {
    /// counted from 1
    pub line: u32,
    /// what it is
    pub kind: TokenKind<'a>,
}

/// What a token is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokenKind<'a> {
    /// A name, directive, opcode or number, with its dots and percent signs.
    Word(&'a str),
    /// A text in quotation marks, which stand outside.
    Text(&'a str),
    /// Anything else, one character each.
    Mark(char),
}

/// Splits PTX; comments and white space go.
pub fn tokens(source: &str) -> Vec<Token<'_>> {
    let mut found = Vec::new();
    let mut rest = source;
    let mut line = 1;
    while let Some(first) = rest.chars().next() {
        let taken = if first == '\n' {
            line += 1;
            1
        } else if first.is_whitespace() {
            first.len_utf8()
        } else if rest.starts_with("//") {
            rest.find('\n').unwrap_or(rest.len())
        } else if let Some(comment) = rest.strip_prefix("/*") {
            let end = comment.find("*/").map_or(rest.len(), |at| at + 4);
            line += count_lines(&rest[..end]);
            end
        } else if first == '"' {
            let end = rest[1..].find('"').map_or(rest.len(), |at| at + 1);
            let kind = TokenKind::Text(&rest[1..end]);
            found.push(Token { line, kind });
            line += count_lines(&rest[..end]);
            (end + 1).min(rest.len())
        } else if is_of_word(first) {
            let mut end = rest.find(|c| !is_of_word(c)).unwrap_or(rest.len());
            // `.reg.b32` is two directives.
            if first == '.' {
                end = rest[1..end].find('.').map_or(end, |at| at + 1);
            }
            let kind = TokenKind::Word(&rest[..end]);
            found.push(Token { line, kind });
            end
        } else {
            let kind = TokenKind::Mark(first);
            found.push(Token { line, kind });
            first.len_utf8()
        };
        rest = &rest[taken..];
    }
    found
}

fn is_of_word(character: char) -> bool {
    character.is_ascii_alphanumeric() || matches!(character, '_' | '$' | '%' | '.')
}

fn count_lines(text: &str) -> u32 {
    u32::try_from(text.matches('\n').count()).unwrap_or(0)
}
