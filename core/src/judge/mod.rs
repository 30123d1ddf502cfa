//! Canary statistics: numbers in, a verdict out. Pure; knows no backend, no screen and no clock.
//!
//! # The verdict for newcomers
//!
//! A canary and its baseline serve the same traffic at the same time. Every tick (a minute, say) brings
//! new counts, and the judge answers one question: *would a healthy canary look like this?*
//!
//! - The answer is **odds**. `412:1` means: someone who had bet against "the canary is healthy" at fair
//!   odds, tick by tick, would now hold 412 times the stake. A healthy canary lets anyone get that rich
//!   at most once in 412 rollouts, **however often you look**. That is why nothing here gets worse by
//!   watching, and why there are no p-values.
//! - **Fail**: the odds of harm *beyond the margin* reached the line (`1/α`, 100:1 by default): roll back.
//! - **Pass**: for every required metric the odds *against* harm beyond the margin reached `1/β` (20:1).
//!   "No alarm yet" is never a pass.
//! - **Marginal**: something did get worse, but not provably beyond its margin: a human decides.
//! - **Not enough data**: neither. The report says how long it will take, and at which share of traffic.
//! - Verdicts latch. A failure is not taken back by better minutes afterwards.
//! - The **plausible range** holds the true ratio canary : baseline at all looks at once (95 %).
//! - Bursts of errors count less, by as much as the baseline itself is bursty (φ).
//! - Several metrics are averaged as odds, so that many metrics raise no more false alarms than one;
//!   a metric is named a culprit only if it would be one whatever the others say.
//! - No data is a state of its own: a silent canary is held, never promoted.
//!
//! # The code
//!
//! [`Spec`] says what was agreed before the rollout; [`Analysis`] takes ticks ([`Analysis::push`]) and
//! traffic steps ([`Analysis::step`]) and gives the [`Verdict`], the [`Decision`] and the [`Report`].
//! Counts are judged by [`ratio`] (and [`strict`], [`beta_binomial`]), series by [`series`]; [`combine`]
//! joins metrics. One tick costs the same however long the history is.
//!
//! ```
//! use flightdeck_core::judge::{Action, Analysis, MetricSpec, Sample, Spec, Verdict};
//!
//! let metrics = vec![MetricSpec::errors("errors")];
//! let mut analysis = Analysis::new(Spec { metrics, warm_up_ticks: 0, ..Spec::default() })?;
//! analysis.step(0.05);
//! for _ in 0..15 {
//!     // (requests, errors) of the baseline and of the canary: 1 % against 3 %.
//!     analysis.push(&[Sample::counts((9500.0, 95.0), (500.0, 15.0))]);
//! }
//! let report = analysis.report();
//! assert_eq!((report.verdict, report.action), (Verdict::Fail, Action::RollBack));
//! println!("{}  {}", report.lead, report.sentence);
//! # Ok::<(), flightdeck_core::judge::SpecError>(())
//! ```
//!
//! [`kayenta`], [`argo`] and [`flagger`] are the rules of other tools, for configurations that exist;
//! [`counted`] judges a canary by the latter two while it is under way.

pub mod analysis;
pub mod argo;
pub mod beta_binomial;
pub mod combine;
pub mod counted;
pub mod decide;
pub mod dispersion;
pub mod eta;
pub mod flagger;
pub mod grid;
pub mod kayenta;
pub mod metric;
pub mod odds;
pub mod ratio;
pub mod report;
pub mod sample;
pub mod series;
pub mod spec;
pub mod special;
pub mod strict;
pub mod summary;
pub mod words;

pub use analysis::{Analysis, Verdict};
pub use counted::Counted;
pub use decide::{Action, Decision, Obstacle};
pub use odds::{Odds, Strength};
pub use report::Report;
pub use sample::{Counts, Sample};
pub use spec::{Direction, MetricKind, MetricSpec, Spec, SpecError};
