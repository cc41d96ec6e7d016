//! The text of an expectation.

use std::fmt;

use super::object::Expect;
use crate::conntrack::{Format, Print, Style, Text};
use crate::text::Out;

impl Expect {
    /// The expectation as text in this format.
    ///
    /// ```
    /// use netfilter_conntrack::{Expect, Format, Tuple};
    ///
    /// let expected = Tuple::tcp("192.0.2.1:0".parse().unwrap(), "192.0.2.2:50000".parse().unwrap())?;
    /// let mut expect = Expect::new();
    /// expect.set_expected(expected).set_timeout(60).set_helper("ftp")?;
    /// assert_eq!(
    ///     expect.display(Format::plain()).to_string(),
    ///     "60 proto=6 src=192.0.2.1 dst=192.0.2.2 sport=0 dport=50000 helper=ftp",
    /// );
    /// # Ok::<(), netfilter_conntrack::Error>(())
    /// ```
    #[must_use]
    pub fn display<'a>(&'a self, format: Format<'a>) -> Text<'a> {
        Text::new(self, format)
    }
}

impl Print for Expect {
    fn print(&self, format: &Format<'_>, out: &mut Out<'_>) -> bool {
        match format.style {
            Style::Plain => self.print_plain(format, out),
            Style::Xml => self.print_xml(format, out),
        }
        true
    }
}

/// The plain line that conntrack(8) prints; see [`Expect::display`].
impl fmt::Display for Expect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.display(Format::plain()).fmt(f)
    }
}
