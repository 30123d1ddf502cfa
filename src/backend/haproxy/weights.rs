//! Which weights give the wanted shares, without touching more servers than were named.

use crate::domain::text::SafeText;

/// The most that a weight can be (Configuration Manual, server option `weight`).
pub(super) const MOST: u32 = 256;
/// How far, in points of a per cent, a share may be from what was asked for.
const TOLERANCE: f64 = 0.5;

/// One server of a backend, as it is.
#[derive(Debug, Clone)]
pub(super) struct Standing {
    pub name: SafeText,
    pub weight: u32,
    /// The weight in the configuration.
    pub configured: Option<u32>,
    /// Whether it takes traffic according to its weight.
    pub usable: bool,
    /// The backend's word for its state.
    pub state: SafeText,
}

/// The weight of each named server that gives it its share, in the order of `shares`.
///
/// # Errors
/// Why there are none.
pub(super) fn weights(
    servers: &[Standing],
    shares: &[(SafeText, u32)],
) -> Result<Vec<u32>, String> {
    let mut named = Vec::new();
    for (at, (name, share)) in shares.iter().enumerate() {
        let server = servers.iter().find(|server| server.name == *name);
        let server = server.ok_or_else(|| format!("there is no server {name}"))?;
        if shares.iter().take(at).any(|(other, _)| other == name) {
            return Err(format!("{name} is named twice"));
        }
        if *share > 0 && !server.usable {
            let state = &server.state;
            return Err(format!("{name} takes no traffic ({state}), so it cannot get {share}%"));
        }
        named.push(server);
    }
    let sum = shares.iter().try_fold(0_u32, |sum, (_, share)| sum.checked_add(*share));
    let sum = sum.filter(|sum| *sum <= 100).ok_or("the shares add up to more than 100%")?;
    let kept: u32 = servers
        .iter()
        .filter(|s| s.usable && !shares.iter().any(|(name, _)| *name == s.name))
        .map(|s| s.weight)
        .sum();
    if kept > 0 {
        return beside(shares, sum, kept);
    }
    if sum != 100 {
        return Err(format!("the shares add up to {sum}%, and no other server takes traffic"));
    }
    let present = || named.iter().map(|server| Some(server.weight)).collect::<Option<Vec<u32>>>();
    let configured = || -> Option<Vec<u32>> {
        let pairs = named.iter().zip(shares);
        pairs.map(|(s, (_, share))| if *share == 0 { Some(0) } else { s.configured }).collect()
    };
    // As they are, if that is it; as the configuration has them, which every way of balancing
    // accepts; else the shares themselves.
    let fits = |weights: &Vec<u32>| is_exact(weights, shares);
    let found = present().filter(fits).or_else(|| configured().filter(fits));
    Ok(found.unwrap_or_else(|| shares.iter().map(|(_, share)| *share).collect()))
}

/// Whether `weights` give exactly these shares of the whole.
fn is_exact(weights: &[u32], shares: &[(SafeText, u32)]) -> bool {
    let total: u64 = weights.iter().copied().map(u64::from).sum();
    let exact = |(weight, (_, share)): (&u32, &(SafeText, u32))| {
        u64::from(*weight) * 100 == u64::from(*share) * total
    };
    total > 0 && weights.iter().zip(shares).all(exact)
}

/// Weights beside servers that keep theirs, of `kept` altogether.
fn beside(shares: &[(SafeText, u32)], sum: u32, kept: u32) -> Result<Vec<u32>, String> {
    let rest = 100 - sum;
    if rest == 0 {
        return Err("servers that were not named keep their weight: name them as well".to_owned());
    }
    let ideal = |share: u32| f64::from(share) * f64::from(kept) / f64::from(rest);
    let most = shares.iter().map(|(_, share)| ideal(*share)).fold(0.0, f64::max);
    if most > f64::from(MOST) {
        return Err(format!(
            "that takes a weight of {most:.0}, and {MOST} is the most: name every server"
        ));
    }
    // At most `MOST`, as was just seen.
    let weights: Vec<u32> = shares.iter().map(|(_, share)| ideal(*share).round() as u32).collect();
    let total = f64::from(weights.iter().sum::<u32>() + kept);
    for (weight, (name, share)) in weights.iter().zip(shares) {
        let got = f64::from(*weight) * 100.0 / total;
        if (got - f64::from(*share)).abs() > TOLERANCE || (*weight == 0) != (*share == 0) {
            return Err(format!(
                "beside weights of {kept}, {name} can get {got:.1}% and not {share}%: name every server"
            ));
        }
    }
    Ok(weights)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn standing(name: &str, weight: u32, configured: u32, usable: bool) -> Standing {
        let state = if usable { "UP" } else { "MAINT" };
        Standing {
            name: name.into(),
            weight,
            configured: Some(configured),
            usable,
            state: state.into(),
        }
    }

    fn ask(servers: &[Standing], shares: &[(&str, u32)]) -> Result<Vec<u32>, String> {
        let shares: Vec<(SafeText, u32)> =
            shares.iter().map(|(name, share)| ((*name).into(), *share)).collect();
        weights(servers, &shares)
    }

    #[test]
    fn every_server_named_gets_exactly_its_share() {
        let pair = [standing("blue", 80, 90, true), standing("green", 20, 10, true)];
        for (blue, green, expected) in [
            (75, 25, [75, 25]),
            // As it is already.
            (80, 20, [80, 20]),
            // As it was configured: for one server alone, that is its configured weight.
            (90, 10, [90, 10]),
            (100, 0, [90, 0]),
            (0, 100, [0, 10]),
        ] {
            let found = ask(&pair, &[("blue", blue), ("green", green)]);
            assert_eq!(found, Ok(expected.to_vec()), "{blue} to {green}");
        }
        let new = [standing("blue", 200, 200, true), standing("green", 0, 0, true)];
        assert_eq!(ask(&new, &[("blue", 0), ("green", 100)]), Ok(vec![0, 100]));
    }

    #[test]
    fn those_left_out_keep_theirs() {
        let three = [
            standing("blue", 60, 60, true),
            standing("red", 30, 30, true),
            standing("green", 10, 10, true),
            standing("spare", 50, 50, false),
        ];
        assert_eq!(ask(&three, &[("green", 25)]), Ok(vec![30]));
        assert_eq!(ask(&three, &[("green", 0)]), Ok(vec![0]));
        assert_eq!(ask(&three, &[("green", 0), ("spare", 0)]), Ok(vec![0, 0]));
        assert!(ask(&three, &[("green", 100)]).unwrap_err().contains("name them as well"));
        assert!(ask(&three, &[("green", 90)]).unwrap_err().contains("256 is the most"));
        let coarse = [standing("blue", 10, 10, true), standing("green", 1, 1, true)];
        let why = ask(&coarse, &[("green", 1)]).unwrap_err();
        assert!(why.contains("0.0% and not 1%"), "{why}");
    }

    #[test]
    fn what_cannot_be_is_said() {
        let pair = [standing("blue", 90, 90, true), standing("green", 10, 10, false)];
        for (shares, why) in [
            (&[("blue", 90), ("green", 10)][..], "takes no traffic (MAINT)"),
            (&[("blue", 90)], "add up to 90%"),
            (&[("blue", 90), ("green", 20)], "takes no traffic"),
            (&[("blue", 101)], "more than 100%"),
            (&[("blue", 50), ("blue", 50)], "named twice"),
            (&[("red", 50)], "no server red"),
            (&[], "add up to 0%"),
        ] {
            let told = ask(if shares.is_empty() { &pair[1..] } else { &pair }, shares).unwrap_err();
            assert!(told.contains(why), "{shares:?}: {told}");
        }
        assert_eq!(ask(&pair, &[("blue", 100), ("green", 0)]), Ok(vec![90, 0]));
    }
}
