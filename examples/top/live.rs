//! The view on a terminal.

use std::io;
use std::os::fd::AsFd;
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::sys::signal::{Signal, raise};
use nix::sys::signalfd::SignalFd;

use super::app::App;
use super::keys::{Decoder, Key};
use super::options::Options;
use super::screen::Screen;
use super::view::View;
use super::{signals, wait};

/// How long the rest of what a key sends may take on the way.
const REST_OF_KEY: Duration = Duration::from_millis(50);

pub(crate) fn run(options: &Options, signals: &SignalFd) -> io::Result<()> {
    let (mut width, mut height) = Screen::size();
    let mut app = App::new(options, View::room(height))?;
    let mut screen = Screen::take()?;
    let end = options.time.map(|time| Instant::now() + time);
    let mut decoder = Decoder::default();
    loop {
        let more = app.follow();
        if std::mem::take(&mut app.changed) {
            screen.draw(app.view.lines(width, height))?;
        }
        let mut until = end;
        if decoder.is_unsure() {
            let rest = Some(Instant::now() + REST_OF_KEY);
            until = until.into_iter().chain(rest).min();
        }
        if more {
            until = Some(Instant::now());
        }
        let stdin = io::stdin();
        let descriptors = [stdin.as_fd(), signals.as_fd(), app.mirror.as_fd()];
        let [typed, signalled, _] = wait::readable(descriptors, until)?;

        while let Some(signal) = signalled
            .then(|| signals::next(signals))
            .transpose()?
            .flatten()
        {
            match signal {
                Signal::SIGWINCH | Signal::SIGCONT => {
                    (width, height) = Screen::size();
                    screen.clear()?;
                    app.view.fit_anew();
                    app.set_room(View::room(height));
                }
                _ => return Ok(()),
            }
        }
        let mut keys = Vec::new();
        if typed {
            let mut bytes = [0; 64];
            let length = match nix::unistd::read(&stdin, &mut bytes) {
                // The terminal has gone.
                Ok(0) | Err(Errno::EIO) => return Ok(()),
                Ok(length) => length,
                Err(Errno::EINTR | Errno::EAGAIN) => 0,
                Err(errno) => return Err(errno.into()),
            };
            keys.extend(
                bytes[..length]
                    .iter()
                    .filter_map(|byte| decoder.push(*byte)),
            );
        } else if !more {
            keys.extend(decoder.pause());
        }
        for key in keys {
            match key {
                Key::Control('z') => screen.leave(|| {
                    // Stops here until the shell lets it go on.
                    let _ = raise(Signal::SIGTSTP);
                })?,
                Key::Control('l') => {
                    screen.clear()?;
                    app.changed = true;
                }
                key if press(&mut app, key) => {}
                _ => return Ok(()),
            }
        }
        if end.is_some_and(|end| end <= Instant::now()) {
            return Ok(());
        }
    }
}

/// Does what a key asks for; `false` where that is to end.
fn press(app: &mut App, key: Key) -> bool {
    if key == Key::Control('c') {
        return false;
    }
    app.changed = true;
    if app.view.typing {
        let view = &mut app.view;
        match key {
            Key::Character(character) => view.filter.push(character),
            Key::Backspace => drop(view.filter.pop()),
            Key::Escape => {
                view.filter.clear();
                view.typing = false;
            }
            Key::Enter => view.typing = false,
            Key::Control(_) => return true,
        }
        app.choose();
        return true;
    }
    match key {
        Key::Character('q') | Key::Escape => return false,
        Key::Character('s') => {
            app.view.sort = app.view.sort.next();
            app.choose();
        }
        Key::Character('p' | ' ') => app.pause(),
        Key::Character('/' | 'f') => app.view.typing = true,
        _ => {}
    }
    true
}
