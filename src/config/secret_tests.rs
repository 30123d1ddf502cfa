//! Secrets are found where they are kept and printed nowhere.

use super::*;

fn words(text: &str) -> Secret {
    Secret::Command(text.split(' ').map(str::to_owned).collect())
}

#[tokio::test]
async fn a_file_is_read_anew_each_time() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("token");
    std::fs::write(&path, "first\n").unwrap();
    let secret = Secret::File(path.clone());
    assert_eq!(secret.resolve().await.unwrap().expose(), "first");
    std::fs::write(&path, "second\r\n").unwrap();
    assert_eq!(secret.resolve().await.unwrap().expose(), "second");
    std::fs::write(&path, " \n").unwrap();
    assert!(secret.resolve().await.unwrap_err().to_string().ends_with("is empty"));
    std::fs::remove_file(&path).unwrap();
    assert!(matches!(secret.resolve().await, Err(SecretError::File { .. })));
}

#[tokio::test]
async fn a_command_prints_it() {
    assert_eq!(words("printf %s\\n hush").resolve().await.unwrap().expose(), "hush");
    let failed = words("false").resolve().await.unwrap_err();
    assert!(failed.to_string().starts_with("`false` failed"), "{failed}");
    let missing = words("no-such-program-here").resolve().await.unwrap_err();
    assert!(missing.to_string().contains("could not be run"), "{missing}");
    assert!(words("true").resolve().await.unwrap_err().to_string().contains("printed nothing"));
}

#[tokio::test]
async fn a_command_that_hangs_is_given_up() {
    let words = ["sleep".to_owned(), "3600".to_owned()];
    let hung = run(&words, Duration::from_millis(20)).await.unwrap_err();
    assert!(hung.to_string().contains("did not answer within 20ms"), "{hung}");
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_command_is_not_in_the_foreground_of_our_terminal() {
    // The fifth word of the line is the process group, the first the process itself.
    let read = ["sh".to_owned(), "-c".to_owned(), "cat /proc/$$/stat".to_owned()];
    let told = run(&read, COMMAND_DEADLINE).await.unwrap();
    let words: Vec<&str> = told.expose().split(' ').collect();
    assert_eq!(words[0], words[4], "a group of its own");
}

#[tokio::test]
async fn an_unset_variable_is_named() {
    let secret = Secret::Env("FLIGHTDECK_TEST_SURELY_UNSET".to_owned());
    let missing = secret.resolve().await.unwrap_err();
    assert!(missing.to_string().contains("FLIGHTDECK_TEST_SURELY_UNSET"), "{missing}");
}

#[tokio::test]
async fn a_value_is_never_printed() {
    let value = words("printf hush").resolve().await.unwrap();
    assert_eq!(format!("{value} {value:?}"), "(secret) (secret)");
    let arguments = words("op read op://vault/hush");
    assert!(!format!("{arguments} {arguments:?}").contains("hush"));
}

#[cfg(unix)]
#[test]
fn a_file_open_to_all_is_warned_about() {
    use std::os::unix::fs::PermissionsExt as _;
    let file = tempfile::NamedTempFile::new().unwrap();
    let secret = Secret::File(file.path().to_owned());
    let mode = |bits| {
        std::fs::set_permissions(file.path(), std::fs::Permissions::from_mode(bits)).unwrap();
    };
    mode(0o644);
    assert!(secret.warning().unwrap().contains("chmod o-r"));
    mode(0o600);
    assert_eq!(secret.warning(), None);
}

#[test]
fn a_reference_is_exactly_one_of_three() {
    #[derive(Debug, Deserialize, Serialize, PartialEq)]
    struct Holder {
        token: Secret,
    }
    for text in [
        "token = { env = \"X\" }",
        "token = { file = \"~/x\" }",
        "token = { command = [\"op\", \"read\"] }",
    ] {
        let holder: Holder = toml::from_str(text).unwrap();
        let again = toml::to_string(&holder).unwrap();
        assert_eq!(toml::from_str::<Holder>(&again).unwrap(), holder);
    }
    for text in [
        "token = \"hush\"",
        "token = {}",
        "token = { env = \"X\", file = \"y\" }",
        "token = { command = [] }",
        "token = { vault = \"x\" }",
    ] {
        assert!(toml::from_str::<Holder>(text).is_err(), "{text}");
    }
}
