//! Exit codes, the same for every subcommand, and the failure that carries one.

use std::fmt;

use crate::domain::text::SafeText;
use crate::judge::Verdict;

/// How the program ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Exit {
    /// All good.
    Good,
    /// The program itself failed: a file, the terminal, the network stack.
    Failure,
    /// Wrong arguments or configuration.
    Usage,
    /// Something waits for a human.
    Waiting,
    /// Something fails: a stage, an environment, an alarm.
    Failing,
    /// Something is stale or could not be read.
    Unknown,
    /// A source does not let us in.
    NotAuthenticated,
    /// A guard refused a write.
    Refused,
    /// A freeze window refused a write.
    Frozen,
    /// What was seen has moved, or is not what was expected.
    Moved,
    /// Somebody else answered before.
    Answered,
    /// A backend did not do a write.
    Failed,
    /// It did not come about in time.
    TimedOut,
    /// The journal cannot take a write.
    NoJournal,
    /// The verdict on a canary: it does harm beyond its margin.
    Harm,
    /// The verdict on a canary: it is worse, but not provably beyond its margin.
    Marginal,
    /// There is no verdict on a canary: too little is known.
    TooLittle,
    /// The answers of the canary differ from those of the baseline.
    Differs,
    /// No answers could be compared.
    NotCompared,
}

impl Exit {
    /// Every exit, in the order of its code.
    pub const ALL: [Self; 19] = [
        Self::Good,
        Self::Failure,
        Self::Usage,
        Self::Waiting,
        Self::Failing,
        Self::Unknown,
        Self::NotAuthenticated,
        Self::Refused,
        Self::Frozen,
        Self::Moved,
        Self::Answered,
        Self::Failed,
        Self::TimedOut,
        Self::NoJournal,
        Self::Harm,
        Self::Marginal,
        Self::TooLittle,
        Self::Differs,
        Self::NotCompared,
    ];

    /// Its code.
    pub fn code(self) -> u8 {
        match self {
            Self::Good => 0,
            Self::Failure => 1,
            Self::Usage => 2,
            Self::Waiting => 10,
            Self::Failing => 11,
            Self::Unknown => 12,
            Self::NotAuthenticated => 13,
            Self::Refused => 20,
            Self::Frozen => 21,
            Self::Moved => 22,
            Self::Answered => 23,
            Self::Failed => 24,
            Self::TimedOut => 25,
            Self::NoJournal => 26,
            Self::Harm => 30,
            Self::Marginal => 31,
            Self::TooLittle => 32,
            Self::Differs => 33,
            Self::NotCompared => 34,
        }
    }

    /// What it means.
    pub fn meaning(self) -> &'static str {
        match self {
            Self::Good => "all good",
            Self::Failure => "flightdeck itself failed",
            Self::Usage => "wrong arguments or configuration",
            Self::Waiting => "something waits for a human",
            Self::Failing => "something fails",
            Self::Unknown => "something is stale or unknown",
            Self::NotAuthenticated => "a source does not let us in",
            Self::Refused => "a guard refused the write; nothing was sent",
            Self::Frozen => "a freeze window refused the write; nothing was sent",
            Self::Moved => "what was seen has moved; nothing was done",
            Self::Answered => "somebody else answered before",
            Self::Failed => "a backend did not do the write, or only a part of it was done",
            Self::TimedOut => "it did not come about in time",
            Self::NoJournal => "the journal cannot take a write; nothing was sent",
            Self::Harm => "verdict fail: the canary does harm beyond its margin",
            Self::Marginal => "verdict marginal: worse, but not provably beyond its margin",
            Self::TooLittle => "no verdict: not enough data, or not under way",
            Self::Differs => "the canary answers otherwise than the baseline",
            Self::NotCompared => "nothing could be compared",
        }
    }

    /// What a verdict on a canary exits with.
    pub fn of(verdict: Verdict) -> Self {
        match verdict {
            Verdict::Pass => Self::Good,
            Verdict::Fail => Self::Harm,
            Verdict::Marginal => Self::Marginal,
            Verdict::NotEnoughData => Self::TooLittle,
        }
    }
}

/// Why a subcommand could not do its work.
#[derive(Debug)]
pub struct Failure {
    /// The exit code.
    pub exit: Exit,
    /// What, where, and what to do next.
    pub message: String,
}

impl Failure {
    /// The program itself failed.
    pub fn new(message: impl Into<String>) -> Self {
        Self { exit: Exit::Failure, message: message.into() }
    }

    /// Wrong arguments or configuration.
    pub fn usage(message: impl Into<String>) -> Self {
        Self { exit: Exit::Usage, message: message.into() }
    }

    /// Writing the output failed. A reader that went away is no failure: it has what it wanted, and
    /// `exit` tells what it would have told.
    pub fn output(error: &std::io::Error, exit: Exit) -> Result<Exit, Self> {
        if error.kind() == std::io::ErrorKind::BrokenPipe {
            Ok(exit)
        } else {
            Err(Self::new(format!("cannot write the output: {error}")))
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // It may quote what a file or an argument says.
        for (number, line) in self.message.split('\n').enumerate() {
            let said = line.trim_start_matches(' ');
            let indent = line.len() - said.len();
            let line_end = if number > 0 { "\n" } else { "" };
            write!(f, "{line_end}{:indent$}{}", "", SafeText::new(said))?;
        }
        Ok(())
    }
}

impl std::error::Error for Failure {}
