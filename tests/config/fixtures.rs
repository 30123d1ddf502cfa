//! Every file under `valid` loads; every file under `invalid` gives the faults written beside it.

use std::path::{Path, PathBuf};

use flightdeck::config::{load_text, schema};

/// The variables that fixtures may refer to.
pub fn variables() -> Vec<(String, String)> {
    vec![("REGION".to_owned(), "eu-west-1".to_owned())]
}

pub fn files(folder: &str) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/config").join(folder);
    let mut files: Vec<PathBuf> = std::fs::read_dir(&folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|e| e == "toml"))
        .collect();
    files.sort();
    assert!(!files.is_empty(), "no fixtures in {}", folder.display());
    files
}

fn name(path: &Path) -> String {
    path.file_name().unwrap().to_string_lossy().into_owned()
}

#[test]
fn valid_files_load_and_fit_the_schema() {
    let validator = jsonschema::validator_for(schema::schema()).unwrap();
    for path in files("valid") {
        let text = std::fs::read_to_string(&path).unwrap();
        if let Err(report) = load_text(&name(&path), &text, &variables()) {
            panic!("{report}");
        }
        let table: toml::Table = toml::from_str(&text).unwrap();
        let json = serde_json::to_value(table).unwrap();
        let faults: Vec<String> = validator.iter_errors(&json).map(|e| e.to_string()).collect();
        assert_eq!(faults, Vec::<String>::new(), "{}", path.display());
    }
}

/// Set `FLIGHTDECK_UPDATE=1` to write what is found, then read the difference.
#[test]
fn invalid_files_give_exactly_the_faults_beside_them() {
    let mut wrong = Vec::new();
    for path in files("invalid") {
        let text = std::fs::read_to_string(&path).unwrap();
        let found = match load_text(&name(&path), &text, &variables()) {
            Ok(_) => "no fault found\n".to_owned(),
            Err(report) => format!("{report}\n"),
        };
        assert!(!found.contains("hunter2"), "a secret is repeated:\n{found}");
        let expected = path.with_extension("stderr");
        if std::env::var_os("FLIGHTDECK_UPDATE").is_some() {
            std::fs::write(&expected, &found).unwrap();
        }
        let wanted = std::fs::read_to_string(&expected).unwrap_or_default();
        if wanted != found {
            wrong.push(format!("--- {} wanted\n{wanted}--- found\n{found}", path.display()));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_committed_schema_is_the_generated_one() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("config/flightdeck.schema.json");
    let generated = schema::schema_text();
    if std::env::var_os("FLIGHTDECK_UPDATE").is_some() {
        std::fs::write(&path, &generated).unwrap();
    }
    assert!(
        std::fs::read_to_string(&path).unwrap_or_default() == generated,
        "run this test with FLIGHTDECK_UPDATE=1 to write {}",
        path.display()
    );
    assert!(jsonschema::meta::is_valid(schema::schema()));
}
