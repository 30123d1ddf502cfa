//! Tags of resources, which no listing carries: asked for one by one, and kept for a while. They are
//! only asked for where a service claims by tags.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::time::{Duration, Instant};

use crate::domain::error::{Fault, FaultKind};
use crate::domain::text::SafeText;

/// Tags by their keys.
pub(super) type Tags = BTreeMap<SafeText, SafeText>;

/// Tags, and a refusal to tell them, are asked for again after this time.
const AGE: Duration = Duration::from_mins(10);

/// What is known of the tags of one source's resources.
#[derive(Debug, Default)]
pub(super) struct TagBook {
    wanted: bool,
    known: Mutex<Known>,
}

#[derive(Debug, Default)]
struct Known {
    by_arn: HashMap<String, (Instant, Tags)>,
    refused: Option<(Instant, SafeText)>,
}

/// What to ask for in one read.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Round {
    pub(super) due: Vec<String>,
    /// What is left open, if anything is.
    pub(super) open: Option<SafeText>,
}

impl TagBook {
    /// Says whether some service claims by tags.
    pub(super) fn want(&mut self, wanted: bool) {
        self.wanted = wanted;
    }

    /// The tags of a resource, as far as they are known.
    pub(super) fn of(&self, arn: &str) -> Tags {
        self.known().by_arn.get(arn).map(|(_, tags)| tags.clone()).unwrap_or_default()
    }

    /// Which of `arns` to ask for now, `most` of them: those that are not known, or for long.
    pub(super) fn round<'a>(&self, arns: impl Iterator<Item = &'a str>, most: usize) -> Round {
        if !self.wanted {
            return Round::default();
        }
        if let Some((since, why)) = &self.known().refused
            && since.elapsed() < AGE
        {
            return Round { due: Vec::new(), open: Some(why.clone()) };
        }
        let due = self.due(arns);
        let unknown = due.iter().skip(most).filter(|arn| !self.known().by_arn.contains_key(**arn));
        let left = unknown.count();
        Round {
            due: due.into_iter().take(most).map(str::to_owned).collect(),
            open: (left > 0)
                .then(|| SafeText::from(format!("the tags of {left} are not read yet"))),
        }
    }

    /// Takes in what came of asking for the tags of `arn`. If nothing did, the round is over, and
    /// why is told.
    ///
    /// # Errors
    /// A fault that would meet every other call as well.
    pub(super) fn learn(
        &self,
        arn: String,
        answer: Result<Tags, Fault>,
    ) -> Result<Option<SafeText>, Fault> {
        match answer {
            Ok(tags) => {
                self.known().by_arn.insert(arn, (Instant::now(), tags));
                Ok(None)
            }
            Err(fault) if super::reader::ends_read(&fault) => Err(fault),
            Err(fault) if matches!(fault.kind, FaultKind::Forbidden { .. }) => {
                let why = format!("no service claims by tags here: {}", fault.message);
                let why = SafeText::from(why);
                self.known().refused = Some((Instant::now(), why.clone()));
                Ok(Some(why))
            }
            Err(fault) => Ok(Some(SafeText::from(format!("tags: {fault}")))),
        }
    }

    /// Those that are to be asked for, the unknown and the oldest first.
    fn due<'a>(&self, arns: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
        let known = self.known();
        let mut due: Vec<(Option<Instant>, &str)> = arns
            .map(|arn| (known.by_arn.get(arn).map(|(since, _)| *since), arn))
            .filter(|(since, _)| since.is_none_or(|since| since.elapsed() >= AGE))
            .collect();
        drop(known);
        due.sort();
        due.dedup();
        due.into_iter().map(|(_, arn)| arn).collect()
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Tags from keys and values.
pub(super) fn tags<'a>(pairs: impl Iterator<Item = (&'a str, &'a str)>) -> Tags {
    pairs.map(|(key, value)| (SafeText::new(key), SafeText::new(value))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const ARNS: [&str; 3] = ["a", "b", "c"];

    fn wanted() -> TagBook {
        TagBook { wanted: true, ..TagBook::default() }
    }

    #[tokio::test(start_paused = true)]
    async fn each_is_asked_once_in_ten_minutes_and_not_all_at_once() {
        let book = wanted();
        let ask = |most: usize| {
            let round = book.round(ARNS.into_iter(), most);
            for arn in &round.due {
                let found = tags([("of", arn.as_str())].into_iter());
                assert_eq!(book.learn(arn.clone(), Ok(found)).unwrap(), None);
            }
            (round.due.join(" "), round.open.map(|open| open.to_string()).unwrap_or_default())
        };
        let told = |due: &str, open: &str| (due.to_owned(), open.to_owned());
        assert_eq!(ask(2), told("a b", "the tags of 1 are not read yet"));
        assert_eq!(ask(2), told("c", ""));
        assert_eq!(book.of("c"), tags([("of", "c")].into_iter()));
        assert_eq!(ask(9), told("", ""), "all of them are known");
        tokio::time::advance(AGE).await;
        assert_eq!(ask(2), told("a b", ""), "the old ones are used until then");
    }

    #[tokio::test(start_paused = true)]
    async fn a_refusal_is_remembered_and_a_book_that_nobody_wants_stays_empty() {
        assert_eq!(TagBook::default().round(ARNS.into_iter(), 9), Round::default());
        let book = wanted();
        let no = Fault::new(FaultKind::Forbidden { permission: None }, "no");
        let why = book.learn("a".to_owned(), Err(no)).unwrap().unwrap();
        assert_eq!(why.as_str(), "no service claims by tags here: no");
        assert_eq!(book.round(ARNS.into_iter(), 9), Round { due: Vec::new(), open: Some(why) });
        tokio::time::advance(AGE).await;
        assert_eq!(book.round(ARNS.into_iter(), 9).due.len(), 3);
        let expired = Fault::new(FaultKind::NotAuthenticated, "expired");
        assert!(book.learn("a".to_owned(), Err(expired)).is_err());
        let odd = Fault::new(FaultKind::ServerError, "oops");
        assert!(book.learn("a".to_owned(), Err(odd)).unwrap().is_some());
    }
}
