//! Small conversions from the SDK's types.

use aws_smithy_types::DateTime;
use jiff::Timestamp;

use crate::domain::text::SafeText;

/// The same moment; `None` where it is out of range.
pub(super) fn time(at: &DateTime) -> Option<Timestamp> {
    let nanos = i32::try_from(at.subsec_nanos()).ok()?;
    Timestamp::new(at.secs(), nanos).ok()
}

/// Text that says something.
pub(super) fn text(raw: Option<&str>) -> Option<SafeText> {
    raw.filter(|raw| !raw.trim().is_empty()).map(SafeText::new)
}

/// The first line that says something.
pub(super) fn first_line(raw: &str) -> Option<SafeText> {
    text(raw.lines().map(str::trim).find(|line| !line.is_empty()))
}

/// Who an ARN stands for: `alice` of `arn:aws:iam::111111111111:user/alice`, and the session
/// (which names the person) of an assumed role. Other text is kept.
pub(super) fn who(arn: &str) -> SafeText {
    let name = arn.starts_with("arn:").then(|| arn.rsplit(['/', ':']).next()).flatten();
    SafeText::new(name.filter(|name| !name.is_empty()).unwrap_or(arn))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_keep_their_nanoseconds() {
        let at = DateTime::from_secs_and_nanos(1_763_891_000, 123_000_000);
        let same = time(&at).unwrap();
        assert_eq!(same.to_string(), "2025-11-23T09:43:20.123Z");
        assert_eq!(time(&DateTime::from_secs(i64::MAX)), None);
    }

    #[test]
    fn people_are_named_by_the_end_of_their_arn() {
        for (arn, name) in [
            ("arn:aws:iam::111111111111:user/alice", "alice"),
            ("arn:aws:sts::111111111111:assumed-role/deployer/bob@example.org", "bob@example.org"),
            ("arn:aws:iam::111111111111:root", "root"),
            ("alice", "alice"),
            ("arn:aws:iam::111111111111:user/", "arn:aws:iam::111111111111:user/"),
        ] {
            assert_eq!(who(arn).as_str(), name);
        }
    }
}
