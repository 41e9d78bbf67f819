//! Texts as they are shown: nothing in them moves the cursor or turns the direction of the writing, so that nobody
//! reads something else than what is there.

use std::borrow::Cow;

/// Text of any number of lines, with what can't be seen spelt out.
pub fn visible(text: &str) -> Cow<'_, str> {
    spelt(text, |it| it == '\n' || it == '\t')
}

/// The same in one line.
pub fn one_line(text: &str) -> Cow<'_, str> {
    spelt(text, |_| false)
}

fn spelt(text: &str, is_kept: impl Fn(char) -> bool) -> Cow<'_, str> {
    let hides = |it: char| {
        let invisible = matches!(it, '\u{ad}' | '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}')
            || matches!(it, '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{e0000}'..='\u{e007f}');
        (it.is_control() || invisible) && !is_kept(it)
    };
    if !text.contains(hides) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 8);
    for it in text.chars() {
        if hides(it) { out.extend(it.escape_default()) } else { out.push(it) }
    }
    Cow::Owned(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_moves_the_cursor_is_spelt_out() {
        assert_eq!(visible("a\x1b[2Jb\u{202e}c\n\td"), "a\\u{1b}[2Jb\\u{202e}c\n\td");
        assert_eq!(one_line("a\nb"), "a\\nb");
        assert_eq!(one_line("größer"), "größer");
    }
}
