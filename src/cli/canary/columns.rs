//! Figures in CSV files: one column for each figure, one row for each tick.

use std::collections::BTreeMap;
use std::path::Path;

use jiff::Timestamp;

use crate::cli::exit::Failure;

/// Names of a column that tells the time of its row.
const TIMES: [&str; 8] = ["time", "timestamp", "at", "date", "datetime", "minute", "tick", "t"];
/// The column of the canary's share of the traffic, in percent.
pub const WEIGHT: &str = "weight";
/// Longest tick that is taken from the times of the rows, in milliseconds.
const LONGEST: i64 = 24 * 3_600 * 1_000;

/// The figures of one side.
#[derive(Clone, Debug, PartialEq)]
pub struct Columns {
    /// Where they come from.
    pub file: String,
    /// Names of the figures, as they are written.
    pub names: Vec<String>,
    /// By time or number of the row, in thousandths.
    pub rows: BTreeMap<i64, Vec<Option<f64>>>,
    /// Whether the rows have times.
    pub timed: Timed,
}

/// What tells rows apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Timed {
    /// Their position in the file.
    No,
    /// A number that is no time of day: the ticks themselves.
    Ticks,
    /// Seconds since 1970, or a date with a time.
    Clock,
}

impl Columns {
    /// Reads `text` of `file`; a first column with a usual name for times is one.
    pub fn read(file: &Path, text: &str) -> Result<Self, Failure> {
        let file = file.display().to_string();
        let fault = |line: u64, what: String| Failure::usage(format!("{file}:{line}: {what}"));
        let mut reader =
            csv::ReaderBuilder::new().trim(csv::Trim::All).from_reader(text.as_bytes());
        let header = reader.headers().map_err(|error| fault(1, in_words(&error)))?.clone();
        let timed = header.get(0).is_some_and(|name| TIMES.contains(&&*name.to_lowercase()));
        let names: Vec<String> =
            header.iter().skip(usize::from(timed)).map(str::to_owned).collect();
        if names.is_empty() || names.iter().any(String::is_empty) {
            let what =
                "a column without a name; the first line names them, as in time,errors,requests";
            return Err(fault(1, what.to_owned()));
        }
        if let Some(twice) =
            names.iter().enumerate().find(|(at, n)| names.iter().take(*at).any(|b| b == *n))
        {
            return Err(fault(1, format!("the column `{}` appears twice", twice.1)));
        }
        let mut rows = BTreeMap::new();
        let mut kind = if timed { Timed::Ticks } else { Timed::No };
        for (number, record) in reader.records().enumerate() {
            let record = record.map_err(|error| {
                fault(error.position().map_or(0, csv::Position::line), in_words(&error))
            })?;
            let line = record.position().map_or(0, csv::Position::line);
            let key = if timed {
                let (key, clock) = time(record.get(0).unwrap_or_default()).ok_or_else(|| {
                    let text = record.get(0).unwrap_or_default();
                    fault(
                        line,
                        format!("`{text}` is no time: write a number, or 2026-01-31T12:00:00Z"),
                    )
                })?;
                if clock {
                    kind = Timed::Clock;
                }
                key
            } else {
                i64::try_from(number).unwrap_or(i64::MAX).saturating_mul(1_000)
            };
            let mut values = Vec::with_capacity(names.len());
            for (name, cell) in names.iter().zip(record.iter().skip(usize::from(timed))) {
                values.push(
                    value(cell).map_err(|what| fault(line, format!("column `{name}`: {what}")))?,
                );
            }
            if rows.insert(key, values).is_some() {
                return Err(fault(line, "a second row of the same time".to_owned()));
            }
        }
        if rows.is_empty() {
            return Err(fault(2, "no row follows the names of the columns".to_owned()));
        }
        Ok(Self { file, names, rows, timed: kind })
    }

    /// The position of a column.
    pub fn column(&self, name: &str) -> Option<usize> {
        self.names.iter().position(|own| own == name)
    }

    /// A value; none where there is no such row, or nothing in it.
    pub fn value(&self, row: i64, column: usize) -> Option<f64> {
        self.rows.get(&row)?.get(column).copied().flatten()
    }

    /// Every value of a column, in order.
    pub fn values(&self, column: usize) -> impl Iterator<Item = Option<f64>> {
        self.rows.values().map(move |row| row.get(column).copied().flatten())
    }

    /// The shortest time between two rows, in seconds, where the times are those of a clock.
    pub fn step(&self) -> Option<f64> {
        if self.timed != Timed::Clock {
            return None;
        }
        let steps = self.rows.keys().zip(self.rows.keys().skip(1)).map(|(a, b)| b - a);
        steps.min().filter(|step| (1..=LONGEST).contains(step)).map(|step| step as f64 / 1_000.0)
    }
}

/// A number, or nothing where nothing was measured.
fn value(cell: &str) -> Result<Option<f64>, String> {
    match cell.to_lowercase().as_str() {
        "" | "-" | "nan" | "na" | "n/a" | "null" | "none" => return Ok(None),
        _ => {}
    }
    match cell.parse::<f64>() {
        Ok(number) if number.is_finite() => Ok(Some(number)),
        Ok(_) => {
            Err(format!("`{cell}` is not finite; leave the cell empty where nothing was measured"))
        }
        Err(_) => {
            Err(format!("`{cell}` is no number; leave the cell empty where nothing was measured"))
        }
    }
}

/// A time in thousandths, and whether it is one of a clock.
fn time(text: &str) -> Option<(i64, bool)> {
    if let Ok(number) = text.parse::<f64>() {
        // Beyond that a number of seconds is none; a number of ticks neither.
        let fits = number.is_finite() && number.abs() < 1e13;
        // What is larger than a thousand million counts seconds, or thousandths, since 1970.
        let (scaled, clock) = match number {
            n if n >= 1e12 => (n, true),
            n => (n * 1_000.0, n >= 1e9),
        };
        return fits.then(|| (scaled.round() as i64, clock));
    }
    if let Ok(at) = text.parse::<Timestamp>() {
        return Some((at.as_millisecond(), true));
    }
    let civil = text.parse::<jiff::civil::DateTime>().ok()?;
    let zoned = civil.to_zoned(jiff::tz::TimeZone::UTC).ok()?;
    Some((zoned.timestamp().as_millisecond(), true))
}

fn in_words(error: &csv::Error) -> String {
    match error.kind() {
        csv::ErrorKind::UnequalLengths { expected_len, len, .. } => {
            format!("{len} cells, but the first line names {expected_len} columns")
        }
        csv::ErrorKind::Utf8 { .. } => "this is no UTF-8 text".to_owned(),
        _ => error.to_string(),
    }
}

/// The position of a column, or which there are.
pub fn column(columns: &Columns, name: &str) -> Result<usize, Failure> {
    columns.column(name).ok_or_else(|| {
        let near = columns.names.iter().min_by_key(|own| strsim::damerau_levenshtein(own, name));
        let near = near.map(|near| format!(", did you mean `{near}`?")).unwrap_or_default();
        Failure::usage(format!("{}: there is no column `{name}`{near}", columns.file))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Columns, String> {
        Columns::read(Path::new("a.csv"), text).map_err(|failure| failure.message)
    }

    #[test]
    fn times_and_gaps_are_read() {
        let read = read("time,errors,p99\n2026-01-31T12:00:00Z,1,\n2026-01-31 12:01:00,NaN,3.5\n")
            .unwrap();
        assert_eq!(read.names, ["errors", "p99"]);
        assert_eq!(read.timed, Timed::Clock);
        assert_eq!(read.step(), Some(60.0));
        let rows: Vec<_> = read.rows.values().cloned().collect();
        assert_eq!(rows, [vec![Some(1.0), None], vec![None, Some(3.5)]]);
    }

    #[test]
    fn without_times_the_position_counts() {
        let read = read("errors,requests\n1,100\n2,100\n").unwrap();
        assert_eq!((read.timed, read.step()), (Timed::No, None));
        assert_eq!(read.rows.keys().copied().collect::<Vec<_>>(), [0, 1_000]);
        assert_eq!(read.values(0).collect::<Vec<_>>(), [Some(1.0), Some(2.0)]);
    }

    #[test]
    fn faults_say_where_they_are() {
        for (text, said) in [
            ("", "a.csv:1: a column without a name"),
            ("errors\n", "a.csv:2: no row follows"),
            ("errors,errors\n1,1\n", "a.csv:1: the column `errors` appears twice"),
            ("errors\n1\nmany\n", "a.csv:3: column `errors`: `many` is no number"),
            ("errors\ninf\n", "a.csv:2: column `errors`: `inf` is not finite"),
            ("errors,b\n1,2\n1\n", "a.csv:3: 1 cells, but the first line names 2 columns"),
            ("time,b\nnoon,2\n", "a.csv:2: `noon` is no time"),
            ("time,b\n1,2\n1,3\n", "a.csv:3: a second row of the same time"),
        ] {
            let found = read(text).unwrap_err();
            assert!(found.starts_with(said), "{found}");
        }
    }
}
