//! What is to be seen on a terminal, as lines.

use std::time::Duration;

use super::rates::Bytes;
use super::rows::{Row, Sort};
use super::text;

/// All that is shown.
#[derive(Debug)]
pub(crate) struct View {
    pub(crate) rows: Vec<Row>,
    pub(crate) flows: usize,
    /// Flows that began and that ended, per second.
    pub(crate) turnover: [u64; 2],
    /// Bytes per second of all flows, each way.
    pub(crate) rates: Bytes,
    pub(crate) interval: Duration,
    pub(crate) sort: Sort,
    pub(crate) filter: String,
    /// Whether the filter is being typed.
    pub(crate) typing: bool,
    pub(crate) paused: bool,
    /// What is out of the ordinary.
    pub(crate) notes: Vec<String>,
    /// What to say where there are no rows.
    pub(crate) empty: &'static str,
    /// The widest ends so far: columns that move to and fro are hard to read,
    /// and all would be drawn anew.
    widths: [usize; 2],
}

/// A line as wide as the screen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Line {
    pub(crate) text: String,
    pub(crate) look: Look,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Look {
    Title,
    Warning,
    Heads,
    Plain,
    /// Of what does not matter so much.
    Dim,
}

/// Lines that are not rows.
const FRAME: usize = 4;

/// Columns besides the two ends of a flow: all are this wide, but for the state.
const PROTOCOL: usize = 6;
const NUMBER: usize = 6;
const AGE: usize = 5;
const GAPS: usize = 7;

impl View {
    pub(crate) fn new(interval: Duration, sort: Sort, filter: String) -> Self {
        Self {
            rows: Vec::new(),
            flows: 0,
            turnover: [0; 2],
            rates: [0; 2],
            interval,
            sort,
            filter,
            typing: false,
            paused: false,
            notes: Vec::new(),
            empty: "listing...",
            widths: [0; 2],
        }
    }

    /// Rows there are on a screen of this height.
    pub(crate) fn room(height: usize) -> usize {
        height.saturating_sub(FRAME)
    }

    /// Forgets what the columns were fitted to.
    pub(crate) fn fit_anew(&mut self) {
        self.widths = [0; 2];
    }

    /// As many lines as the screen has.
    pub(crate) fn lines(&mut self, width: usize, height: usize) -> Vec<Line> {
        let state = if width >= 100 { 11 } else { 6 };
        let fixed = PROTOCOL + state + 3 * NUMBER + AGE + GAPS;
        let ends = self.ends(width.saturating_sub(fixed));
        let columns = |cells: [&str; 8]| {
            let [
                protocol,
                source,
                destination,
                state_of,
                there,
                back,
                total,
                age,
            ] = cells;
            let fit = text::fit;
            let (protocol, state) = (fit(protocol, PROTOCOL), fit(&cut(state_of, state), state));
            let [source, destination] = [fit(source, ends[0]), fit(destination, ends[1])];
            format!(
                "{protocol} {source} {destination} {state} \
                 {there:>NUMBER$} {back:>NUMBER$} {total:>NUMBER$} {age:>AGE$}"
            )
        };

        let mut lines = vec![(self.title(), Look::Title)];
        lines.push((format!(" {}", self.notes.join("; ")), Look::Warning));
        let heads = [
            "PROTO",
            "SOURCE",
            "DESTINATION",
            "STATE",
            "->B/s",
            "<-B/s",
            "TOTAL",
            "AGE",
        ];
        lines.push((columns(heads), Look::Heads));
        for row in self.rows.iter().take(Self::room(height)) {
            let number = |number: Option<u64>| number.map_or("-".to_owned(), text::bytes);
            let [there, back] = [0, 1].map(|way| number(row.rates.map(|rates| rates[way])));
            let (total, age) = (number(row.total), text::age(row.age));
            let age = if row.older { format!(">{age}") } else { age };
            let Row { source, .. } = row;
            let text = columns([
                &row.protocol,
                source,
                &row.destination,
                row.state,
                &there,
                &back,
                &total,
                &age,
            ]);
            let look = match row.rates {
                Some([0, 0]) | None => Look::Dim,
                Some(_) => Look::Plain,
            };
            lines.push((text, look));
        }
        if self.rows.is_empty() {
            lines.push((format!(" {}", self.empty), Look::Dim));
        }
        let last = height.saturating_sub(1);
        lines.resize_with(last, || (String::new(), Look::Plain));
        lines.push((self.keys(), Look::Dim));
        lines.truncate(height);
        let line = |(text, look): (String, Look)| Line {
            text: fill(&text, width),
            look,
        };
        lines.into_iter().map(line).collect()
    }

    fn title(&self) -> String {
        let [there, back] = self.rates.map(text::bytes);
        let [new, ended] = self.turnover;
        let paused = if self.paused { "PAUSED  " } else { "" };
        format!(
            " {paused}{} flows  +{new}/s -{ended}/s  -> {there}B/s  <- {back}B/s  by {}, every {:?}",
            text::count(self.flows),
            self.sort.name(),
            self.interval,
        )
    }

    fn keys(&self) -> String {
        if self.typing {
            return format!(" filter: {}_   (Enter: done, Esc: none)", self.filter);
        }
        let filter = match self.filter.as_str() {
            "" => String::new(),
            filter => format!(": {filter}"),
        };
        format!(" q quit   s sort   p pause   / filter{filter}")
    }

    /// The widths of both ends, which share the room.
    fn ends(&mut self, room: usize) -> [usize; 2] {
        for row in &self.rows {
            let lengths = [&row.source, &row.destination].map(String::len);
            self.widths = [0, 1].map(|end| self.widths[end].max(lengths[end]));
        }
        let half = room / 2;
        let [source, destination] = self.widths.map(|width| width.max("DESTINATION".len()));
        let source = match (source <= half, destination <= room - half) {
            (true, _) => source,
            (false, true) => source.min(room - destination),
            (false, false) => half,
        };
        [source, room - source]
    }
}

/// The beginning of a text.
fn cut(text: &str, width: usize) -> String {
    text.chars().take(width).collect()
}

fn fill(text: &str, width: usize) -> String {
    format!("{:width$}", cut(text, width))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(source: &str, destination: &str) -> Row {
        Row {
            protocol: "tcp".to_owned(),
            source: source.to_owned(),
            destination: destination.to_owned(),
            state: "ESTABLISHED",
            rates: Some([1_234_567, 0]),
            total: Some(999),
            age: Duration::from_secs(61),
            older: true,
        }
    }

    fn view(rows: &[Row]) -> View {
        let mut view = View::new(Duration::from_secs(1), Sort::Rate, String::new());
        view.rows = rows.to_vec();
        view
    }

    /// Texts of the lines, without the spaces behind.
    fn texts(view: &mut View, width: usize, height: usize) -> Vec<String> {
        let lines = view.lines(width, height).into_iter();
        lines.map(|line| line.text.trim_end().to_owned()).collect()
    }

    #[test]
    fn it_fits_into_any_screen() {
        let long = row(
            "[2001:db8:1111:2222:3333:4444:5555:6666]:40000",
            "[2001:db8:1111:2222:3333:4444:5555:7777]:443>[2001:db8::1]:8443",
        );
        let rows = vec![long; 30];
        for (width, height) in [(80, 24), (200, 50), (60, 10), (20, 5), (1, 1), (0, 0)] {
            let lines = view(&rows).lines(width, height);
            assert_eq!(lines.len(), height);
            for line in lines {
                assert_eq!(line.text.chars().count(), width, "{line:?}");
            }
        }
    }

    #[test]
    fn a_row_has_all_its_columns() {
        let mut view = view(&[row("192.0.2.1:40000", "198.51.100.7:443")]);
        let lines = texts(&mut view, 80, 24);
        assert_eq!(
            lines[2..4],
            [
                "PROTO  SOURCE          DESTINATION             STATE   ->B/s  <-B/s  TOTAL   AGE",
                "tcp    192.0.2.1:40000 198.51.100.7:443        ESTABL   1.2M      0    999  >61s",
            ]
        );
    }

    #[test]
    fn a_long_end_leaves_the_other_its_half() {
        let long = "[2001:db8:1111:2222:3333:4444:5555:6666]:40000";
        let source_is_long = texts(&mut view(&[row(long, "192.0.2.1:443")]), 80, 24);
        assert!(source_is_long[3].contains(" 192.0.2.1:443 "));
        let both_are_long = texts(&mut view(&[row(long, long)]), 80, 24);
        assert_eq!(both_are_long[3].matches("]:40000 ").count(), 2);
    }

    #[test]
    fn columns_stay_where_they_are() {
        let mut view = view(&[row("192.0.2.100:40000", "192.0.2.1:1")]);
        let before = texts(&mut view, 80, 24);
        view.rows = vec![row("192.0.2.1:1", "192.0.2.1:1")];
        assert_eq!(texts(&mut view, 80, 24)[2], before[2]);
        view.fit_anew();
        assert_ne!(texts(&mut view, 80, 24)[2], before[2]);
    }

    #[test]
    fn it_says_what_is_out_of_the_ordinary() {
        let mut view = view(&[]);
        view.notes = vec!["one".to_owned(), "two".to_owned()];
        view.paused = true;
        view.filter = "udp".to_owned();
        view.empty = "no flows";
        let lines = texts(&mut view, 80, 24);
        assert!(lines[0].starts_with(" PAUSED"), "{lines:?}");
        assert_eq!(lines[1], " one; two");
        assert_eq!(lines[3], " no flows");
        assert!(lines[23].ends_with("/ filter: udp"), "{lines:?}");
        view.typing = true;
        let lines = texts(&mut view, 80, 24);
        assert!(lines[23].starts_with(" filter: udp_"), "{lines:?}");
    }
}
