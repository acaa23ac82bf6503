//! Rust source taken apart into code, comments and string literals.
//!
//! No parser: it knows where comments, strings and character literals begin and end, and nothing
//! else.

/// One source, three views. `code` and `comments` have the lines of the source, with blanks in the
/// place of everything else.
#[derive(Debug)]
pub(super) struct RustText {
    /// The code without comments and without what stands inside quotes.
    pub(super) code: String,
    /// The comments alone, doc comments among them.
    pub(super) comments: String,
    /// What stands inside quotes, with the line it begins on.
    pub(super) literals: Vec<(usize, String)>,
}

impl RustText {
    pub(super) fn of(source: &str) -> Self {
        let mut reader = Reader {
            source: source.chars().collect(),
            at: 0,
            line: 1,
            text: Self { code: String::new(), comments: String::new(), literals: Vec::new() },
        };
        while let Some(c) = reader.peek(0) {
            match (c, reader.peek(1)) {
                ('/', Some('/')) => reader.line_comment(),
                ('/', Some('*')) => reader.block_comment(),
                ('"', _) => reader.string(0, true),
                ('r', Some('"' | '#')) if !reader.inside_a_word() => reader.raw_string(),
                ('\'', _) => reader.character_or_lifetime(),
                _ => reader.take(View::Code),
            }
        }
        reader.text
    }

    /// The code up to the tests below it.
    pub(super) fn code_without_tests(&self) -> &str {
        self.code.split("#[cfg(test)]").next().unwrap_or_default()
    }
}

#[derive(Clone, Copy)]
enum View {
    Code,
    Comment,
    Neither,
}

struct Reader {
    source: Vec<char>,
    at: usize,
    line: usize,
    text: RustText,
}

impl Reader {
    fn peek(&self, ahead: usize) -> Option<char> {
        self.source.get(self.at + ahead).copied()
    }

    /// Whether the character before this one is part of the same word; `b` and `c` before a raw
    /// string are not.
    fn inside_a_word(&self) -> bool {
        let back = |n: usize| self.at.checked_sub(n).and_then(|i| self.source.get(i)).copied();
        let word = |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() || c == '_');
        match back(1) {
            Some('b' | 'c') => word(back(2)),
            other => word(other),
        }
    }

    /// Moves one character on and shows it in `view` only.
    fn take(&mut self, view: View) {
        let Some(c) = self.peek(0) else { return };
        let blank = if c == '\n' { '\n' } else { ' ' };
        let (code, comment) = match view {
            View::Code => (c, blank),
            View::Comment => (blank, c),
            View::Neither => (blank, blank),
        };
        self.text.code.push(code);
        self.text.comments.push(comment);
        self.line += usize::from(c == '\n');
        self.at += 1;
    }

    fn line_comment(&mut self) {
        while self.peek(0).is_some_and(|c| c != '\n') {
            self.take(View::Comment);
        }
    }

    fn block_comment(&mut self) {
        let mut depth = 0_usize;
        loop {
            match (self.peek(0), self.peek(1)) {
                (Some('/'), Some('*')) => depth += 1,
                (Some('*'), Some('/')) => depth -= 1,
                (None, _) => return,
                _ => {
                    self.take(View::Comment);
                    continue;
                }
            }
            self.take(View::Comment);
            self.take(View::Comment);
            if depth == 0 {
                return;
            }
        }
    }

    fn raw_string(&mut self) {
        let hashes = (1..).take_while(|i| self.peek(*i) == Some('#')).count();
        if self.peek(1 + hashes) != Some('"') {
            // `r#type` is a word, not a string.
            return self.take(View::Code);
        }
        for _ in 0..=hashes {
            self.take(View::Code);
        }
        self.string(hashes, false);
    }

    /// From the opening quote to the closing one with as many hashes behind it.
    fn string(&mut self, hashes: usize, escapes: bool) {
        let (line, mut content) = (self.line, String::new());
        self.take(View::Code);
        while let Some(c) = self.peek(0) {
            if c == '"' && (1..=hashes).all(|i| self.peek(i) == Some('#')) {
                break;
            }
            content.push(c);
            self.take(View::Neither);
            if escapes && c == '\\' {
                content.extend(self.peek(0));
                self.take(View::Neither);
            }
        }
        for _ in 0..=hashes {
            self.take(View::Code);
        }
        self.text.literals.push((line, content));
    }

    fn character_or_lifetime(&mut self) {
        self.take(View::Code);
        let escaped = self.peek(0) == Some('\\');
        if !escaped && self.peek(1) != Some('\'') {
            return;
        }
        // The first character may be a backslash with a quote behind it.
        self.take(View::Neither);
        if escaped {
            self.take(View::Neither);
        }
        while self.peek(0).is_some_and(|c| c != '\'') {
            self.take(View::Neither);
        }
        self.take(View::Code);
    }
}

#[test]
fn code_comments_and_literals_are_told_apart() {
    let source = "let a = \"x // \\\" y\"; // note \"n\"\n/* b /* c */ d */ let q = '\"'; f::<'a>(r#\"r\"q\"#, b\"z\", '\\'');";
    let text = RustText::of(source);
    let literals: Vec<_> = text.literals.iter().map(|(line, s)| (*line, s.as_str())).collect();
    assert_eq!(literals, [(1, "x // \\\" y"), (2, "r\"q"), (2, "z")]);
    assert_eq!(
        text.comments.split_whitespace().collect::<Vec<_>>().join(" "),
        "// note \"n\" /* b /* c */ d */"
    );
    assert!(text.code.contains("f::<'a>(r#\"   \"#, b\" \", '  ');"), "{}", text.code);
    assert_eq!(text.code.chars().count(), source.chars().count());
}
