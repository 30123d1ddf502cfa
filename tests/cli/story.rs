//! One write from what was wanted to what came of it, as the journal tells it to a script.

use serde_json::Value;

use crate::home::{Home, said};

/// A frozen day, on which the glass is broken for an approval, from another host.
fn told() -> (Home, Vec<Value>) {
    let home = Home::new();
    home.write(
        "frozen.toml",
        "[[freeze]]\nname = \"stock-taking\"\nfrom = \"2020-01-01T00:00:00Z\"\n\
         until = \"2100-01-01T00:00:00Z\"\n",
    );
    let words = [
        "--scenario",
        "quiet-day",
        "--config",
        "frozen.toml",
        "approve",
        "sessions",
        "--expect-revision",
        "8e21d4",
        "--comment",
        "tested it well",
        "--break-glass",
        "the shop is down",
        "--yes",
    ];
    let mut command = home.command(&words);
    command.env("USER", "dana").env("SSH_CONNECTION", "192.0.2.7 50022 192.0.2.1 22");
    said(&mut command).exits(0);
    let told = home.run(&["--scenario", "quiet-day", "journal", "-o", "json"]).exits(0).json();
    assert_eq!(told["findings"], serde_json::json!([]));
    let entries = told["entries"].as_array().unwrap();
    (home, entries.iter().map(|entry| entry["record"].clone()).collect())
}

#[test]
fn the_journal_has_every_part_of_a_write() {
    let (home, records) = told();
    let words: Vec<&str> =
        records.iter().map(|record| record["event"]["event"].as_str().unwrap()).collect();
    assert_eq!(words, ["confirmed", "sending", "reply", "ended"]);
    let [confirmed, sending, reply, ended] = records.as_slice() else { unreachable!() };
    // Each line: which plan, which step of it, what for, who, and when; in this order.
    let id = confirmed["plan"].as_str().unwrap();
    for (record, step) in records.iter().zip([Value::Null, 0.into(), 0.into(), 0.into()]) {
        assert_eq!((&record["plan"], &record["step"]), (&id.into(), &step));
        assert_eq!(record["title"], "approve Prod of sessions-main 8e21d4");
        assert!(record["who"].as_str().unwrap().starts_with("dana@"), "{record}");
    }
    assert!(records.is_sorted_by_key(|record| record["at"].as_str().unwrap().to_owned()));

    // Who, and from where.
    let origin = &confirmed["event"]["origin"];
    let process = origin["process"].as_u64().unwrap();
    let host = origin["host"].as_str().unwrap();
    assert_eq!(confirmed["who"], format!("dana@{host} pid {process}"));
    assert_eq!((&origin["user"], &origin["remote"]), (&"dana".into(), &"192.0.2.7".into()));
    assert_eq!(origin["terminal"], Value::Null, "a script has none");
    let own = std::os::unix::fs::MetadataExt::uid(&std::fs::metadata(home.path()).unwrap());
    assert_eq!(origin["uid"], own);
    assert_eq!(origin["version"], env!("CARGO_PKG_VERSION"));

    // What was wanted, what it came down to, and what was seen of the target.
    let kept = &confirmed["event"]["plan"];
    let plan = &kept["plan"];
    assert_eq!(
        (&plan["intent"]["intent"], &plan["intent"]["approve"]),
        (&"answer".into(), &true.into())
    );
    assert_eq!((&plan["id"], &plan["service"]), (&id.into(), &"sessions".into()));
    assert_eq!(plan["production"], true);
    let step = &plan["steps"][0];
    assert_eq!(step["write"]["write"], "answer");
    assert_eq!(step["write"]["comment"], "tested it well", "what is sent beside it");
    assert_eq!(step["identity"], "dana, in the rehearsal");
    assert_eq!(step["place"], "simulated, inside flightdeck");
    assert!(step["no_undo"].as_str().unwrap().contains("cannot be taken back"));
    assert!(step["seen_at"].as_str().unwrap() <= kept["at"].as_str().unwrap());
    let facts = step["expects"]["facts"].as_array().unwrap();
    let seen = |name: &str| {
        let found = facts.iter().find(|fact| fact[0] == name);
        found.and_then(|fact| fact[1].as_str()).unwrap_or_default().to_owned()
    };
    assert!(seen("revision").starts_with("8e21d4"), "{facts:?}");
    assert_eq!(seen("execution"), step["write"]["execution"].as_str().unwrap());

    // What the guards said, and why one of them was passed over.
    let guards = plan["guards"].as_array().unwrap();
    assert_eq!(guards.len(), 11, "{guards:?}");
    for guard in guards {
        match guard["name"].as_str().unwrap() {
            "freeze" => {
                let why = guard["verdict"]["needs_reason"].as_str().unwrap();
                assert!(why.contains("stock-taking"), "{why}");
            }
            _ => assert_eq!(guard["verdict"], "passed", "{guard}"),
        }
    }
    assert_eq!(
        (&kept["comment"], &kept["reason"]),
        (&"tested it well".into(), &"the shop is down".into())
    );

    // What was sent, under which condition, and what came back.
    let order = &sending["event"]["order"];
    assert_eq!((&order["plan"], &order["step"]), (&id.into(), &0.into()));
    assert_eq!((&order["write"], &order["expects"]), (&step["write"], &step["expects"]));
    assert!(reply["event"]["reply"]["receipt"].is_object(), "{reply}");

    // How the effect was looked for, and what came of it.
    let looked = &ended["event"]["looked"];
    assert!(looked["times"].as_u64().unwrap() >= 1, "{ended}");
    assert!(looked["at"].as_str().unwrap() >= reply["at"].as_str().unwrap(), "{ended}");
    assert!(looked["shows"].as_str().unwrap().starts_with("done"), "{ended}");
    assert_eq!(ended["event"]["outcome"]["outcome"], "done");
    assert!(ended["event"]["sentence"].as_str().unwrap().starts_with("done"), "{ended}");

    // People are told the same in lines.
    let lines = home.run(&["--scenario", "quiet-day", "journal"]).exits(0).out;
    let who = format!("by dana@{host} pid {process} from 192.0.2.7: tested it well");
    assert!(lines.contains(&who), "{lines}");
    assert!(lines.contains("the glass was broken: the shop is down"), "{lines}");
}
