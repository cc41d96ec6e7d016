//! A mirror for Tokio.

use tokio::task::consume_budget;

use super::descriptor::Descriptor;
use crate::error::{Error, Result};
use crate::mirror::{Change, Mirror};

/// A [`Mirror`] for Tokio.
///
/// ```no_run
/// use netfilter_conntrack::Mirror;
/// use netfilter_conntrack::async_io::AsyncMirror;
/// use netfilter_conntrack::mirror::Change;
///
/// # async fn follow() -> Result<(), netfilter_conntrack::Error> {
/// let mut mirror = AsyncMirror::over(Mirror::open()?)?;
/// loop {
///     match mirror.next_change().await? {
///         Change::Inserted(flow) => println!("new {flow}"),
///         Change::Removed(flow, why) => println!("gone {flow}: {why:?}"),
///         _ => {}
///     }
/// }
/// # }
/// ```
#[derive(Debug)]
pub struct AsyncMirror {
    mirror: Mirror,
    readable: Descriptor,
}

impl AsyncMirror {
    /// Takes a mirror into the runtime that the caller is in.
    ///
    /// # Errors
    /// [`Error::Invalid`] outside of a Tokio runtime, [`Error::Io`].
    ///
    /// # Panics
    /// Where the runtime was built without `enable_io` or `enable_all`.
    pub fn over(mirror: Mirror) -> Result<Self> {
        Ok(Self {
            readable: Descriptor::of(&mirror)?,
            mirror,
        })
    }

    /// The next change. Where events bring none, other tasks get their turn every
    /// ten milliseconds.
    ///
    /// # Errors
    /// As [`Mirror::next_change`].
    pub async fn next_change(&mut self) -> Result<Change<'_>> {
        consume_budget().await;
        // What is there already needs no descriptor to tell of it.
        if !self.mirror.advance()? {
            let mirror = &mut self.mirror;
            let advance = || match mirror.advance()? {
                true => Ok(()),
                false => Err(Error::WouldBlock),
            };
            self.readable.when_readable(advance).await?;
        }
        // It has come to one.
        self.mirror.change().ok_or(Error::WouldBlock)
    }

    /// The mirror, to look flows up.
    #[must_use]
    pub fn get(&self) -> &Mirror {
        &self.mirror
    }

    /// The mirror, to ask for a resync. It must not be exchanged for another.
    #[must_use]
    pub fn get_mut(&mut self) -> &mut Mirror {
        &mut self.mirror
    }

    /// The mirror, taken out of the runtime.
    #[must_use]
    pub fn into_inner(self) -> Mirror {
        self.mirror
    }
}
