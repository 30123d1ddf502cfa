//! Reference cases of the anytime engines.

use crate::support::{Case, EXACT, GRID, Tolerance, USUAL, only};
use flightdeck::judge::beta_binomial::{self, Share};
use flightdeck::judge::combine::{ClosedTest, ln_weighted_mean};
use flightdeck::judge::eta;
use flightdeck::judge::ratio::RatioEngine;
use flightdeck::judge::series::{SeriesEngine, SeriesSettings, asymptotic_confidence};
use flightdeck::judge::strict::StrictEngine;
use flightdeck::judge::{Counts, Direction};
use serde_json::{Value, json};

pub fn direction(case: &Case<'_>) -> Result<Direction, String> {
    direction_of(case.need("direction")?)
}

pub fn direction_of(value: &Value) -> Result<Direction, String> {
    serde_json::from_value(value.clone()).map_err(|e| e.to_string())
}

/// `[n, k]`, or `None` when either is missing.
pub fn counts(n: &Value, k: &Value) -> Option<Counts> {
    Some(Counts::new(n.as_f64()?, k.as_f64()?))
}

pub fn history(list: &[Value]) -> Vec<Counts> {
    list.iter().filter_map(|pair| counts(&pair[0], &pair[1])).collect()
}

pub fn event_ratio(case: &mut Case<'_>) -> Result<(), String> {
    let mut engine = RatioEngine::new(direction(case)?, case.number("margin")?);
    if !case.truth_or("use_phi", true)? {
        engine = engine.without_dispersion();
    }
    if case.find("history").is_some() {
        for tick in history(case.list("history")?) {
            engine.learn(tick);
        }
    }
    let restarts = case.positions("restart_before")?;
    let alpha = case.number_or("alpha_cs", 0.05)?;
    let ticks = case.list("ticks")?;
    let looks = case.expect().as_array().ok_or("the expectation is no list of looks")?;
    for (at, tick) in ticks.iter().enumerate() {
        restarts.iter().filter(|before| **before == at).for_each(|_| engine.restart());
        let arms = counts(&tick[0], &tick[1]).zip(counts(&tick[2], &tick[3]));
        let phi = arms.and_then(|(baseline, canary)| engine.push(baseline, canary));
        for want in looks.iter().filter(|want| want["look"].as_u64() == Some(at as u64)) {
            look(case, &engine, phi, alpha, want)?;
        }
    }
    case.all_within("look", looks, ticks.len());
    Ok(())
}

fn look(
    case: &mut Case<'_>,
    engine: &RatioEngine,
    phi: Option<f64>,
    alpha: f64,
    want: &Value,
) -> Result<(), String> {
    let look = &want["look"];
    let (single, mixed) = (engine.evidence(), engine.evidence_with_restarts());
    for (name, want) in want.as_object().ok_or("a look is no object")? {
        let what = format!("look {look}: {name}");
        match name.as_str() {
            "look" => {}
            "phi" => case.same_number(&what, phi, want, USUAL),
            "log_e_reg" => case.same_log(&what, single.reg, want),
            "log_e_fail" => case.same_log(&what, single.fail, want),
            "log_e_safe" => case.same_log(&what, single.safe, want),
            "log_e_reg_restart" => case.same_log(&what, mixed.reg, want),
            "log_e_fail_restart" => case.same_log(&what, mixed.fail, want),
            "cs" => {
                let (low, high) = engine.confidence(alpha);
                case.same_number(&format!("{what}[0]"), Some(low), &want[0], GRID);
                case.same_number(&format!("{what}[1]"), high, &want[1], GRID);
            }
            "r_hat" => case.same_number(&what, Some(engine.estimate()), want, USUAL),
            "eta_scale_safe" => {
                let scale = eta::scale_to_reach(20.0_f64.ln(), |c| engine.ln_safe(c));
                case.same_number(&what, scale, want, Tolerance::Either(1e-6, 0.0));
            }
            other => return Err(format!("field `{other}` of a look is not understood")),
        }
    }
    Ok(())
}

pub fn strict_tick(case: &mut Case<'_>) -> Result<(), String> {
    let mut engine = StrictEngine::new(direction(case)?, case.number("r0")?);
    let want = case.wanted("log_e")?;
    let ticks = case.list("ticks")?;
    case.same("number of log_e", &json!(want.as_array().map(Vec::len)), &json!(ticks.len()));
    for (at, tick) in ticks.iter().enumerate() {
        if let Some((baseline, canary)) = counts(&tick[0], &tick[1]).zip(counts(&tick[2], &tick[3]))
        {
            engine.push(baseline, canary);
        }
        case.same_log(&format!("log_e[{at}]"), engine.ln_e(), &want[at]);
    }
    Ok(())
}

pub fn beta_binomial(case: &mut Case<'_>) -> Result<(), String> {
    let share = Share { k: case.number("k")?, n: case.number("n")? };
    let p0 = case.number("p0")?;
    let (low, high) = share.confidence(case.number("alpha")?);
    case.same_log("log_m", share.ln_m(p0), case.wanted("log_m")?);
    case.same_number("log_e_below", share.ln_below(p0), case.wanted("log_e_below")?, USUAL);
    let want = case.wanted("cs")?;
    case.same_number("cs[0]", Some(low), &want[0], USUAL);
    case.same_number("cs[1]", Some(high), &want[1], USUAL);
    Ok(())
}

pub fn quantile_ranks(case: &mut Case<'_>) -> Result<(), String> {
    let n = case.need("n")?.as_u64().ok_or("n is no whole number")?;
    let (p, alpha) = (case.number("p")?, case.number("alpha")?);
    let ranks = beta_binomial::quantile_ranks(n, p, alpha, case.number_or("m0", 20.0)?);
    case.same("lower_rank", &json!(ranks.0), case.wanted("lower_rank")?);
    case.same("upper_rank", &json!(ranks.1), case.wanted("upper_rank")?);
    Ok(())
}

pub fn series_tmix(case: &mut Case<'_>) -> Result<(), String> {
    let settings = SeriesSettings {
        g: case.number_or("g", 0.3)?,
        v_min: case.number_or("v_min", 1.0)?,
        inflate: case.truth_or("vif", true)?,
        humility: case.number_or("z", 1.5)?,
        burn_in: case.number_or("nmin", 10.0)? as u64,
    };
    let (mu0, alpha) = (case.numbers("mu0")?, case.number_or("alpha", 0.05)?);
    let mut engine = SeriesEngine::new(settings);
    let looks = case.expect().as_array().ok_or("the expectation is no list of looks")?;
    let differences = case.numbers("d")?;
    let ticks = differences.len();
    for (at, d) in differences.into_iter().enumerate() {
        engine.push(d);
        for want in looks.iter().filter(|want| want["look"].as_u64() == Some(at as u64)) {
            series_look(case, &engine, &mu0, alpha, want)?;
        }
    }
    case.all_within("look", looks, ticks);
    Ok(())
}

fn series_look(
    case: &mut Case<'_>,
    engine: &SeriesEngine,
    mu0: &[f64],
    alpha: f64,
    want: &Value,
) -> Result<(), String> {
    let known = ["look", "stats", "log_bf", "log_e_up", "log_e_down", "cs"];
    only(want.as_object().ok_or("a look is no object")?, &known)?;
    let look = &want["look"];
    let stats = engine.stats();
    let want_stats = &want["stats"];
    if want_stats.is_null() || stats.is_none() {
        case.same(&format!("look {look}: stats"), &json!(stats), want_stats);
    } else if let Some(stats) = stats {
        let pairs = [
            ("n", stats.n as f64),
            ("mean", stats.mean),
            ("s2", stats.variance),
            ("phi", stats.phi),
            ("neff", stats.effective),
        ];
        only(want_stats.as_object().ok_or("stats is no object")?, &pairs.map(|pair| pair.0))?;
        for (name, got) in pairs {
            let tolerance = if name == "n" { EXACT } else { USUAL };
            case.same_number(
                &format!("look {look}: {name}"),
                Some(got),
                &want_stats[name],
                tolerance,
            );
        }
    }
    for (at, mu) in mu0.iter().enumerate() {
        let (both, up, down) =
            (engine.ln_two_sided(*mu), engine.ln_above(*mu), engine.ln_below(*mu));
        case.same_log(&format!("look {look}: log_bf[{at}]"), both, &want["log_bf"][at]);
        case.same_log(&format!("look {look}: log_e_up[{at}]"), up, &want["log_e_up"][at]);
        case.same_log(&format!("look {look}: log_e_down[{at}]"), down, &want["log_e_down"][at]);
    }
    let got = engine.confidence(alpha);
    case.same_number(&format!("look {look}: cs[0]"), got.map(|c| c.0), &want["cs"][0], USUAL);
    case.same_number(&format!("look {look}: cs[1]"), got.map(|c| c.1), &want["cs"][1], USUAL);
    Ok(())
}

pub fn asymp_cs(case: &mut Case<'_>) -> Result<(), String> {
    let (mean, var) = (case.number("mean")?, case.number("var")?);
    let (t, alpha) = (case.number("t")?, case.number("alpha")?);
    let got = asymptotic_confidence(mean, var, t, alpha, case.number_or("t_star", 30.0)?);
    let want = case.wanted("cs")?;
    case.same_number("cs[0]", got.map(|c| c.0), &want[0], USUAL);
    case.same_number("cs[1]", got.map(|c| c.1), &want[1], USUAL);
    Ok(())
}

pub fn combine(case: &mut Case<'_>) -> Result<(), String> {
    let values: Vec<(f64, f64)> = case
        .list("log_e")?
        .iter()
        .map(|value| value.as_f64().unwrap_or(f64::NEG_INFINITY))
        .zip(case.numbers("weights")?)
        .collect();
    let test = ClosedTest::new(&values);
    let mean = ln_weighted_mean(&values).exp();
    case.same_number("mean_e", Some(mean), case.wanted("mean_e")?, USUAL);
    let want = case.wanted("adjusted_e")?;
    for (at, (ln_e, weight)) in values.iter().enumerate() {
        let got = test.ln_adjusted(*ln_e, *weight).exp();
        case.same_number(&format!("adjusted_e[{at}]"), Some(got), &want[at], USUAL);
    }
    Ok(())
}
