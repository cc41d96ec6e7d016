//! What was found of tracking, in one place where it can be looked for.

/// Whether something there makes the kernel track packets of a family.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) enum Evidence {
    /// It is there.
    Found,
    /// It is not.
    #[default]
    Absent,
    /// It may be there; the reason for which that is not known.
    Unclear(String),
}

impl Evidence {
    /// What two of them say together: one find is enough.
    pub(super) fn or(self, other: Self) -> Self {
        match (self, other) {
            (Self::Found, _) | (_, Self::Found) => Self::Found,
            (Self::Absent, other) => other,
            (unclear, _) => unclear,
        }
    }
}
