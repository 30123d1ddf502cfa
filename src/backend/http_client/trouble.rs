//! `Trouble`: why no answer came, told apart by whose fault it is.

use std::error::Error as _;
use std::io;
use std::time::Duration;

use super::chain;
use crate::domain::error::{Fault, FaultKind};
use crate::domain::text::SafeText;

/// Why no answer, or only a part of one, came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Trouble {
    /// The host answers, and nothing listens there.
    Refused,
    /// Connected, and then no whole answer within the deadline.
    Silent(Duration),
    /// Connected, and then the connection was closed or reset before the answer was complete.
    Broken(SafeText),
    /// What answers does not speak HTTP.
    Garbled(SafeText),
    /// The name could not be resolved.
    Name(SafeText),
    /// The host could not be reached: no route, no connection within half the deadline.
    NoRoute(SafeText),
    /// The certificate that the server shows has ended.
    Expired(SafeText),
    /// TLS could not be agreed on, or the certificate is not trusted.
    Tls(SafeText),
    /// The request could not even be sent.
    Unsent(SafeText),
}

impl Trouble {
    /// What a failed request tells.
    pub(super) fn of(error: &reqwest::Error, deadline: Duration) -> Self {
        // The address in the error's own words may carry a query; callers name the place.
        let words = error.source().map_or_else(|| error.to_string(), chain);
        let shown = || SafeText::from(crate::domain::text::fit(&words, 300));
        let kinds = io_kinds(error);
        if error.is_builder() {
            Self::Unsent(shown())
        } else if error.is_dns() {
            Self::Name(shown())
        } else if error.is_connect() {
            if words.contains("certificate expired") {
                Self::Expired(shown())
            } else if kinds.contains(&io::ErrorKind::ConnectionRefused) {
                Self::Refused
            } else if kinds.contains(&io::ErrorKind::InvalidData) || words.contains("tls ") {
                Self::Tls(shown())
            } else {
                Self::NoRoute(shown())
            }
        } else if error.is_timeout() {
            Self::Silent(deadline)
        } else if words.contains("invalid HTTP") || words.contains("message head is too large") {
            Self::Garbled(shown())
        } else {
            Self::Broken(shown())
        }
    }

    /// One sentence without the place.
    pub fn words(&self) -> String {
        match self {
            Self::Refused => "connection refused".to_owned(),
            Self::Silent(deadline) => {
                format!("no complete answer within {} s", deadline.as_secs_f64())
            }
            Self::Broken(why) => format!("closed the connection before it had answered ({why})"),
            Self::Garbled(why) => format!("does not speak HTTP ({why})"),
            Self::Name(why) => format!("the name cannot be resolved ({why})"),
            Self::NoRoute(why) => format!("cannot be reached ({why})"),
            Self::Expired(why) => format!("its certificate has ended ({why})"),
            Self::Tls(why) => format!("no trusted TLS connection ({why})"),
            Self::Unsent(why) => format!("the request cannot be sent ({why})"),
        }
    }

    /// As a fault of `what`.
    pub fn fault(&self, what: &str) -> Fault {
        let kind = match self {
            Self::Garbled(_) => FaultKind::InvalidReply,
            Self::Unsent(_) => FaultKind::InvalidRequest,
            _ => FaultKind::Unreachable,
        };
        let fault = Fault::new(kind, format!("{what}: {}", self.words()));
        match self {
            Self::Tls(_) => fault.hint("check the certificate; name its authority in ca_file"),
            Self::Expired(_) => fault.hint("renew the certificate of that server"),
            Self::Refused => {
                fault.hint("check that it runs and listens there; it is read again by itself")
            }
            _ => fault,
        }
    }
}

fn io_kinds(error: &reqwest::Error) -> Vec<io::ErrorKind> {
    let mut kinds = Vec::new();
    let mut cause = error.source();
    while let Some(why) = cause {
        if let Some(why) = why.downcast_ref::<io::Error>() {
            kinds.push(why.kind());
        }
        cause = why.source();
    }
    kinds
}
