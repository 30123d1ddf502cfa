//! The lab for Rust tests: where its servers are, and how to talk to their control endpoints.

use serde_json::Value;

/// An address from the lab's `lab.env`.
pub fn address(name: &str) -> String {
    std::env::var(name).unwrap_or_else(|_| {
        panic!("{name} is not set: this test needs the lab, run it with `bash tests/run`")
    })
}

/// Sends JSON, and gives the JSON that comes back.
pub async fn post(url: &str, headers: &[(&str, &str)], body: &Value) -> (u16, Value) {
    let mut request = reqwest::Client::new().post(url).json(body);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let answer = request.send().await.unwrap();
    let status = answer.status().as_u16();
    (status, serde_json::from_slice(&answer.bytes().await.unwrap()).unwrap_or(Value::Null))
}
