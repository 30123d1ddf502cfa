//! A real HAProxy of each test's own, as it is and as a source tells it.

use std::net::TcpListener;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use flightdeck::backend::port::Source;
use flightdeck::domain::ids::{SourceId, TrafficId};
use flightdeck::domain::traffic::TrafficSplit;
use flightdeck::domain::write::{ArmWish, Write};
use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use crate::hands::{read, source};
use crate::lab::address;

/// One HAProxy, gone with its test.
pub struct Edge {
    child: Child,
    _folder: tempfile::TempDir,
    /// Ports of the visitors and of the sockets of level admin and user.
    front: u16,
    pub admin: u16,
    pub user: u16,
}

impl Drop for Edge {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Edge {
    /// One that looks after the health of its servers, many times a second.
    pub async fn start() -> Self {
        Self::with("default-server check inter 200ms rise 1 fall 2").await
    }

    /// One that takes its servers as they are: their health depends on nothing, and it costs nothing.
    pub async fn calm() -> Self {
        Self::with("default-server weight 1").await
    }

    async fn with(servers: &str) -> Self {
        let web = address("LAB_WEB_BLUE_URL").replace("http://", "");
        let free: Vec<TcpListener> =
            (0..3).map(|_| TcpListener::bind("127.0.0.1:0").unwrap()).collect();
        let ports: Vec<u16> = free.iter().map(|l| l.local_addr().unwrap().port()).collect();
        drop(free);
        let (front, admin, user) = (ports[0], ports[1], ports[2]);
        let text = format!(
            "global\n stats socket ipv4@127.0.0.1:{admin} level admin\n\
             \x20stats socket ipv4@127.0.0.1:{user} level user\n\
             defaults\n mode http\n timeout connect 2s\n timeout client 10s\n timeout server 10s\n\
             frontend shop\n bind 127.0.0.1:{front}\n http-response set-header x-server %s\n\
             \x20default_backend shop\n\
             backend shop\n balance roundrobin\n option httpchk GET /health\n\
             \x20{servers}\n\
             \x20server blue {web} weight 90\n server green {web} weight 10\n\
             \x20server spare {web} weight 50 backup\n\
             backend fixed\n balance source\n\
             \x20server blue {web} weight 90\n server green {web} weight 10\n\
             backend fresh\n balance roundrobin\n\
             \x20server blue {web} weight 10\n server green {web} weight 0\n"
        );
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("haproxy.cfg");
        std::fs::write(&file, text).unwrap();
        let mut command = Command::new("/usr/sbin/haproxy");
        command.arg("-db").arg("-f").arg(&file).stdout(Stdio::null()).stderr(Stdio::null());
        let child = command.spawn().unwrap();
        let edge = Self { child, _folder: folder, front, admin, user };
        let up = async {
            let mut pace = tokio::time::interval(Duration::from_millis(50));
            while reqwest::get(format!("http://127.0.0.1:{front}/health")).await.is_err() {
                pace.tick().await;
            }
        };
        tokio::time::timeout(Duration::from_secs(30), up).await.unwrap();
        edge
    }

    pub fn source(&self) -> Arc<dyn Source> {
        at(self.admin)
    }

    /// What the Runtime API answers to `command`.
    pub async fn raw(&self, command: &str) -> String {
        let mut socket = tokio::net::TcpStream::connect(("127.0.0.1", self.admin)).await.unwrap();
        socket.write_all(format!("{command}\n").as_bytes()).await.unwrap();
        let mut said = String::new();
        socket.read_to_string(&mut said).await.unwrap();
        said
    }

    /// How many of so many requests reach green.
    pub async fn green_of(&self, requests: usize) -> usize {
        let client = reqwest::Client::new();
        let mut green = 0;
        for _ in 0..requests {
            let url = format!("http://127.0.0.1:{}/health", self.front);
            let answer = client.get(url).send().await.unwrap();
            green += usize::from(answer.headers()["x-server"] == "green");
        }
        green
    }

    pub async fn split(&self, name: &str) -> TrafficSplit {
        let fleet = read(&*self.source(), &arm(name, "blue", ArmWish::Ready)).await;
        TrafficSplit::clone(&fleet.traffic.get(&id(name)).unwrap().value)
    }

    /// Sets the weights of blue and green, behind everybody's back.
    pub async fn set_weights(&self, name: &str, blue: u32, green: u32) {
        for (server, weight) in [("blue", blue), ("green", green)] {
            self.raw(&format!("set server {name}/{server} weight {weight}")).await;
        }
    }

    /// Sets the state of a server, behind everybody's back.
    pub async fn set_state(&self, name: &str, server: &str, state: &str) {
        self.raw(&format!("set server {name}/{server} state {state}")).await;
    }

    /// The weights of blue and green.
    pub async fn weights(&self, name: &str) -> (u32, u32) {
        let split = self.split(name).await;
        (split.arm("blue").unwrap().weight, split.arm("green").unwrap().weight)
    }
}

/// The source at this port.
pub fn at(port: u16) -> Arc<dyn Source> {
    at_within(port, "2s")
}

/// The same with another deadline.
pub fn at_within(port: u16, deadline: &str) -> Arc<dyn Source> {
    source(json!({ "kind": "haproxy", "address": format!("tcp://127.0.0.1:{port}") }), deadline)
}

/// The id of a split.
pub fn id(backend: &str) -> TrafficId {
    TrafficId::new(&SourceId::new("edge"), backend)
}

/// Shares of blue and green.
pub fn shares(backend: &str, blue: u32, green: u32) -> Write {
    let shares = vec![("blue".into(), blue), ("green".into(), green)];
    Write::Shares { split: id(backend), shares }
}

/// What one server is to be.
pub fn arm(backend: &str, arm: &str, wish: ArmWish) -> Write {
    Write::Arm { split: id(backend), arm: arm.into(), wish }
}
