//! Tables for pipes and files, with plain numbers.

use std::io::{self, Write};
use std::os::fd::AsFd;
use std::time::Instant;

use nix::sys::signalfd::SignalFd;

use super::app::App;
use super::options::Options;
use super::rows::Row;
use super::view::View;
use super::{signals, wait};

pub(crate) fn run(options: &Options, signals: &SignalFd) -> io::Result<()> {
    let mut app = App::new(options, options.rows)?;
    let end = options.time.map(|time| Instant::now() + time);
    let mut printed = 0;
    loop {
        let more = app.follow();
        // There are no rates before the second sample.
        if app.samples > printed.max(1) {
            printed = app.samples;
            print(&app.view)?;
            if options.once {
                return Ok(());
            }
        }
        let now = Instant::now();
        if end.is_some_and(|end| end <= now) {
            return Ok(());
        }
        let until = if more { Some(now) } else { end };
        let [signalled, _] = wait::readable([signals.as_fd(), app.mirror.as_fd()], until)?;
        while let Some(signal) = signalled
            .then(|| signals::next(signals))
            .transpose()?
            .flatten()
        {
            if super::ENDING.contains(&signal) {
                return Ok(());
            }
        }
    }
}

fn print(view: &View) -> io::Result<()> {
    let mut text = Vec::new();
    let ([new, ended], [there, back]) = (view.turnover, view.rates);
    writeln!(
        text,
        "# {} flows +{new}/s -{ended}/s, bytes per second {there} there and {back} back",
        view.flows
    )?;
    for note in &view.notes {
        writeln!(text, "# {note}")?;
    }
    let heads = ["PROTO", "SOURCE", "DESTINATION", "STATE", "->B/s", "<-B/s"];
    line(&mut text, heads, ["TOTAL", "AGE"])?;
    for row in &view.rows {
        let number = |number: Option<u64>| number.map_or("-".to_owned(), |some| some.to_string());
        let rates = [0, 1].map(|way| number(row.rates.map(|rates| rates[way])));
        let older = if row.older { ">" } else { "" };
        let age = format!("{older}{}", row.age.as_secs());
        let Row {
            protocol,
            source,
            destination,
            state,
            ..
        } = row;
        let [there, back] = &rates;
        let cells = [protocol, source, destination, *state, there, back];
        line(&mut text, cells, [&number(row.total), &age])?;
    }
    let mut out = io::stdout().lock();
    out.write_all(&text)?;
    out.flush()
}

fn line(out: &mut Vec<u8>, cells: [&str; 6], last: [&str; 2]) -> io::Result<()> {
    let [protocol, source, destination, state, there, back] = cells;
    let [total, age] = last;
    writeln!(
        out,
        "{protocol:6} {source:21} {destination:21} {state:11} {there:>10} {back:>10} {total:>12} {age:>6}"
    )
}
