//! What a report shows of a file: the lines around its places, with nothing in them that would move the cursor, and of
//! long lines the parts that matter.

use std::ops::Range;

use miette::{MietteError, MietteSpanContents, SourceCode, SourceSpan, SpanContents};

use super::File;
use super::secret::passwords;
use super::visible::one_line;

/// How many lines around a place are drawn at most.
const AROUND: usize = 2;

/// A place of more lines is shown by its first.
const MANY: usize = 12;

/// A text with the lines of a file, those that are not drawn being empty.
#[derive(Debug)]
pub(super) struct Excerpt<'a> {
    file: &'a File,
    text: String,
    /// Bytes of the file, and where what stands there begins in the text, in order.
    seams: Vec<(usize, usize)>,
    /// The places, in bytes of the text.
    places: Vec<Range<usize>>,
}

impl<'a> Excerpt<'a> {
    pub(super) fn new(file: &'a File, places: impl Iterator<Item = Range<usize>>, width: usize) -> Self {
        let places: Vec<Range<usize>> = places.map(|it| shown(file, it)).collect();
        let mut excerpt = Excerpt { file, text: String::new(), seams: vec![], places: vec![] };
        let near = near(&file.text, &places);
        let mut at = 0;
        for (number, line) in file.text.split_inclusive('\n').enumerate() {
            if near.iter().any(|it| it.contains(&number)) {
                excerpt.line(at, line.trim_end_matches(['\n', '\r']), &places, width.max(40));
            }
            let end = line.trim_end_matches(['\n', '\r']).len();
            excerpt.seams.push((at + end, excerpt.text.len()));
            if line.ends_with('\n') {
                excerpt.text.push('\n');
            }
            at += line.len();
        }
        excerpt.seams.push((file.text.len(), excerpt.text.len()));
        excerpt.places = places.into_iter().map(|it| excerpt.of(it.start)..excerpt.of(it.end)).collect();
        excerpt
    }

    /// The place of that number.
    pub(super) fn place(&self, number: usize) -> Range<usize> {
        self.places[number].clone()
    }

    /// In which column of its line something stands.
    pub(super) fn column(&self, at: usize) -> usize {
        let start = self.text[..at].rfind('\n').map_or(0, |it| it + 1);
        self.text[start..at].chars().count()
    }

    /// Takes over a line that begins at a byte of the file, as far as there is room.
    fn line(&mut self, at: usize, line: &str, places: &[Range<usize>], width: usize) {
        let length = line.chars().count();
        let kept =
            if length <= width { std::iter::once(0..length).collect() } else { parts(at, line, places, width) };
        let is_kept = |number: usize| kept.iter().any(|it: &Range<usize>| it.contains(&number));
        let passwords = passwords(line);
        let mut in_gap = false;
        for (number, (offset, it)) in line.char_indices().enumerate() {
            if is_kept(number) {
                self.seams.push((at + offset, self.text.len()));
                match it {
                    _ if passwords.iter().any(|hidden| hidden.contains(&offset)) => self.text.push('*'),
                    '\t' => self.text.push(it),
                    _ => self.text.push_str(&one_line(it.encode_utf8(&mut [0; 4]))),
                }
            } else if !in_gap {
                self.seams.push((at + offset, self.text.len()));
                self.text.push('…');
            }
            in_gap = !is_kept(number);
        }
    }

    /// Where in the text a byte of the file is.
    fn of(&self, byte: usize) -> usize {
        let after = self.seams.partition_point(|(it, _)| *it <= byte);
        after.checked_sub(1).map_or(0, |it| self.seams[it].1)
    }

    /// The byte of the file that stands at one of the text.
    fn back(&self, at: usize) -> usize {
        let found = self.seams.partition_point(|(_, it)| *it < at);
        self.seams.get(found).map_or(self.file.text.len(), |(byte, _)| *byte)
    }
}

impl SourceCode for Excerpt<'_> {
    fn read_span<'a>(
        &'a self,
        span: &SourceSpan,
        lines_before: usize,
        lines_after: usize,
    ) -> Result<Box<dyn SpanContents<'a> + 'a>, MietteError> {
        let found = self.text.read_span(span, lines_before, lines_after)?;
        let (data, of, lines) = (found.data(), *found.span(), found.line_count());
        let (mut line, mut column) = (found.line(), found.column());
        // The place alone is asked for to say where it is.
        if (lines_before, lines_after) == (0, 0) {
            let (in_file, of_line) = self.file.line_column(self.back(span.offset()));
            (line, column) = (in_file - 1, of_line - 1);
        }
        Ok(Box::new(MietteSpanContents::new_named(self.file.path.clone(), data, of, line, column, lines)))
    }
}

/// A place within the file, at the boundaries of characters, and of not too many lines.
fn shown(file: &File, place: Range<usize>) -> Range<usize> {
    let start = file.floor(place.start.min(file.text.len()));
    let end = file.floor(place.end.min(file.text.len())).max(start);
    let text = &file.text[start..end];
    match text.find('\n') {
        Some(first) if text.matches('\n').count() >= MANY => start..start + first,
        _ => start..end,
    }
}

/// Which lines are drawn, by their numbers.
fn near(text: &str, places: &[Range<usize>]) -> Vec<Range<usize>> {
    let line = |at: usize| text[..at].matches('\n').count();
    places.iter().map(|it| line(it.start).saturating_sub(AROUND)..line(it.end) + AROUND + 1).collect()
}

/// Which characters of a long line are shown, by their numbers: around the ends of places, or else the first.
fn parts(at: usize, line: &str, places: &[Range<usize>], width: usize) -> Vec<Range<usize>> {
    let inside = at..at + line.len() + 1;
    let mut ends: Vec<usize> = places
        .iter()
        .flat_map(|it| [it.start, it.end])
        .filter(|it| inside.contains(it))
        .map(|it| line[..it - at].chars().count())
        .collect();
    ends.sort_unstable();
    ends.dedup();
    let (first, last) = (ends.first().copied().unwrap_or(0), ends.last().copied().unwrap_or(0));
    if let Some(spare) = width.checked_sub(last - first) {
        let from = first.saturating_sub(spare / 2).min(line.chars().count() - width);
        return std::iter::once(from..from + width).collect();
    }
    // What is too far from each other shares the room.
    let room = width / ends.len();
    ends.iter().map(|it| it.saturating_sub(room / 2)..it + room.div_ceil(2)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is shown of a file and of a place in it, in 40 columns.
    fn shown_of(text: &str, place: Range<usize>) -> (String, String) {
        let file = File { path: "a.sql".into(), text: text.into() };
        let excerpt = Excerpt::new(&file, std::iter::once(place), 40);
        (excerpt.text.clone(), excerpt.text[excerpt.place(0)].to_owned())
    }

    #[test]
    fn long_lines_are_cut_around_the_place() {
        let long = format!("{}HERE{}", "a".repeat(1000), "b".repeat(1000));
        let (text, place) = shown_of(&format!("one\n{long}\n{long}\n"), 1004..1008);
        assert_eq!(place, "HERE");
        let half = format!("…{}HERE{}…", "a".repeat(18), "b".repeat(18));
        assert_eq!(text, format!("one\n{half}\n{}…\n", "a".repeat(40)));
        let (text, place) = shown_of(&long, 1000..2004);
        assert_eq!(text, format!("…{}HERE{}…{}", "a".repeat(10), "b".repeat(6), "b".repeat(10)));
        assert!(place.starts_with("HERE") && place.ends_with('b'), "{place}");
    }

    #[test]
    fn nothing_in_a_file_moves_the_cursor() {
        let (text, place) = shown_of("\u{1b}[2Jx\r\nsecond\r\n", 4..5);
        assert_eq!((text.as_str(), place.as_str()), ("\\u{1b}[2Jx\nsecond\n", "x"));
    }

    #[test]
    fn lines_that_are_far_away_are_not_copied() {
        let text = "x\n".repeat(1000);
        let (shown, _) = shown_of(&text, 1000..1001);
        assert_eq!((shown.matches('x').count(), shown.lines().count()), (5, 1000));
        // A place that does not end is shown by where it begins.
        assert_eq!(shown_of(&text, 0..2000).1, "x");
    }
}
