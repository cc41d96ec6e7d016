//! The terminal: taken over, drawn on, and given back.

use std::io::{self, Write};
use std::panic;
use std::sync::atomic::{AtomicBool, Ordering};

use crossterm::cursor::{Hide, MoveTo, Show};
use crossterm::style::{Attribute, Color, Print, ResetColor, SetAttribute, SetForegroundColor};
use crossterm::terminal::{
    self, Clear, ClearType, DisableLineWrap, EnableLineWrap, EnterAlternateScreen,
    LeaveAlternateScreen,
};
use crossterm::{execute, queue};

use super::view::{Line, Look};

/// Whether the terminal is ours, to give it back once only.
static TAKEN: AtomicBool = AtomicBool::new(false);

/// The terminal of standard input and output. Dropping it gives it back as it was;
/// so does a panic, before its message is printed.
pub(crate) struct Screen {
    /// What is on it.
    lines: Vec<Line>,
}

impl Screen {
    pub(crate) fn take() -> io::Result<Self> {
        let before = panic::take_hook();
        panic::set_hook(Box::new(move |panic| {
            give_back();
            before(panic);
        }));
        take_over()?;
        Ok(Self { lines: Vec::new() })
    }

    /// Columns and rows.
    pub(crate) fn size() -> (usize, usize) {
        match terminal::size() {
            Ok((width @ 1.., height @ 1..)) => (width.into(), height.into()),
            // Some serial lines do not tell.
            _ => (80, 24),
        }
    }

    /// Draws everything the next time, as after a change of the size.
    pub(crate) fn clear(&mut self) -> io::Result<()> {
        self.lines.clear();
        execute!(io::stdout(), Clear(ClearType::All))
    }

    /// Gives the terminal back for as long as `while_away` takes.
    pub(crate) fn leave(&mut self, while_away: impl FnOnce()) -> io::Result<()> {
        give_back();
        while_away();
        take_over()?;
        self.lines.clear();
        Ok(())
    }

    /// Shows these lines. Only what is different is sent, in one piece.
    pub(crate) fn draw(&mut self, lines: Vec<Line>) -> io::Result<()> {
        let mut out = Vec::new();
        for Span { row, column, line } in differences(&self.lines, &lines) {
            queue!(out, MoveTo(column, row))?;
            put(&mut out, &line)?;
        }
        self.lines = lines;
        let mut stdout = io::stdout().lock();
        stdout.write_all(&out)?;
        stdout.flush()
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        give_back();
    }
}

fn take_over() -> io::Result<()> {
    TAKEN.store(true, Ordering::Relaxed);
    terminal::enable_raw_mode()?;
    execute!(
        io::stdout(),
        EnterAlternateScreen,
        Hide,
        DisableLineWrap,
        Clear(ClearType::All)
    )
}

/// As much of it as works: there may be no terminal any more.
fn give_back() {
    if TAKEN.swap(false, Ordering::Relaxed) {
        let _ = terminal::disable_raw_mode();
        let _ = execute!(io::stdout(), EnableLineWrap, Show, LeaveAlternateScreen);
    }
}

fn put(out: &mut Vec<u8>, line: &Line) -> io::Result<()> {
    match line.look {
        Look::Title => queue!(out, SetAttribute(Attribute::Bold))?,
        Look::Warning => queue!(out, SetForegroundColor(Color::Yellow))?,
        Look::Heads => queue!(out, SetAttribute(Attribute::Reverse))?,
        Look::Dim => queue!(out, SetAttribute(Attribute::Dim))?,
        Look::Plain => {}
    }
    queue!(out, Print(&line.text))?;
    match line.look {
        Look::Plain => Ok(()),
        Look::Warning => queue!(out, ResetColor),
        Look::Title | Look::Heads | Look::Dim => queue!(out, SetAttribute(Attribute::Reset)),
    }
}

/// A part of a line that is to be drawn.
#[derive(Debug, PartialEq, Eq)]
struct Span {
    row: u16,
    column: u16,
    line: Line,
}

/// What to draw where `old` is, to have `new` there. All lines are equally long.
fn differences(old: &[Line], new: &[Line]) -> Vec<Span> {
    let mut spans = Vec::new();
    for (row, line) in new.iter().enumerate() {
        let (mut text, mut column) = (line.text.as_str(), 0);
        if let Some(old) = old.get(row).filter(|old| old.look == line.look) {
            if old.text == line.text {
                continue;
            }
            // Only ASCII is cut: elsewhere bytes are not columns.
            if old.text.is_ascii() && text.is_ascii() && old.text.len() == text.len() {
                let pairs = || text.bytes().zip(old.text.bytes());
                let same = |(one, other)| one == other;
                let behind = pairs().rev().take_while(|pair| same(*pair)).count();
                column = pairs().take_while(|pair| same(*pair)).count();
                text = &text[column..text.len() - behind];
            }
        }
        let place = (u16::try_from(row), u16::try_from(column));
        if let (Ok(row), Ok(column)) = place {
            let line = Line {
                text: text.to_owned(),
                look: line.look,
            };
            spans.push(Span { row, column, line });
        }
    }
    spans
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(text: &str, look: Look) -> Line {
        Line {
            text: text.to_owned(),
            look,
        }
    }

    fn span(row: u16, column: u16, line: Line) -> Span {
        Span { row, column, line }
    }

    #[test]
    fn what_is_the_same_is_not_drawn() {
        let lines = [line("one", Look::Title), line("two", Look::Plain)];
        assert_eq!(differences(&lines, &lines), []);
    }

    #[test]
    fn what_differs_in_a_line_is_drawn() {
        let old = [line("tcp  10k  20k", Look::Plain)];
        let new = line("tcp  11k  21k", Look::Plain);
        let expected = line("1k  21", Look::Plain);
        assert_eq!(differences(&old, &[new]), [span(0, 6, expected)]);
    }

    #[test]
    fn a_new_look_and_a_new_line_are_drawn_whole() {
        let old = [line("one", Look::Plain)];
        let new = [line("one", Look::Dim), line("two", Look::Plain)];
        let expected = [span(0, 0, new[0].clone()), span(1, 0, new[1].clone())];
        assert_eq!(differences(&old, &new), expected);
    }

    #[test]
    fn what_was_drawn_is_what_is_wanted() {
        let mut random = fastrand::Rng::with_seed(3);
        let mut on_screen: Vec<Line> = Vec::new();
        for _ in 0..500 {
            let new: Vec<Line> = (0..6)
                .map(|_| {
                    let text: String = (0..8).map(|_| random.choice(['a', 'b']).unwrap()).collect();
                    line(&text, random.choice([Look::Plain, Look::Dim]).unwrap())
                })
                .collect();
            let mut drawn = on_screen.clone();
            drawn.resize(new.len(), line("        ", Look::Plain));
            for Span { row, column, line } in differences(&on_screen, &new) {
                let (row, column) = (usize::from(row), usize::from(column));
                let end = column + line.text.len();
                drawn[row].text.replace_range(column..end, &line.text);
                drawn[row].look = line.look;
            }
            assert_eq!(drawn, new);
            on_screen = new;
        }
    }
}
