//! One conversation with the Runtime API: a line of commands out, the answers in until the end.

use std::io::{self, ErrorKind};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::{TcpStream, UnixStream};

use crate::config::scalar::SocketAddress;
use crate::domain::error::{Fault, FaultKind};

/// Bytes of an answer that are read at most: enough for some 60,000 servers.
const LIMIT: usize = 32 * 1024 * 1024;

/// Asks `commands` (separated by `;`) and returns the whole answer.
///
/// HAProxy closes the connection after the last answer, and ends each answer with an empty line
/// (Management Guide, 9.3): an answer without that end was cut on its way.
///
/// # Errors
/// Unreachable, forbidden by the socket's mode, or an answer that is cut, empty or far too large.
pub(super) async fn ask(
    address: &SocketAddress,
    commands: &str,
    deadline: Duration,
) -> Result<String, Fault> {
    match tokio::time::timeout(deadline, converse(address, commands)).await {
        Ok(answer) => whole(address, &answer.map_err(|error| explain(address, &error))?),
        Err(_) => {
            let seconds = deadline.as_secs_f64();
            let message = format!("{address}: no complete answer within {seconds} s");
            Err(Fault::new(FaultKind::Unreachable, message))
        }
    }
}

/// Sends `commands` that change something, once, and returns the whole answer.
///
/// # Errors
/// No connection, so that nothing was sent; or, as an unknown outcome, anything that went wrong
/// after that: HAProxy carries out a line that it has, whether its answer arrives or not.
pub(super) async fn tell(
    address: &SocketAddress,
    commands: &str,
    deadline: Duration,
) -> Result<String, Fault> {
    let stream = match tokio::time::timeout(deadline, open(address)).await {
        Ok(stream) => stream.map_err(|error| explain(address, &error))?,
        Err(_) => {
            let seconds = deadline.as_secs_f64();
            let message = format!("{address}: no connection within {seconds} s; nothing was sent");
            return Err(Fault::new(FaultKind::Unreachable, message));
        }
    };
    let lost = |why: &str| {
        let message = format!("{address}: it was sent, and the answer was lost: {why}");
        Fault::new(FaultKind::OutcomeUnknown, message)
    };
    match tokio::time::timeout(deadline, talk(stream, commands)).await {
        Ok(Ok(answer)) => whole(address, &answer).map_err(|fault| {
            let place = format!("{address}: ");
            lost(fault.message.as_str().trim_start_matches(&place))
        }),
        Ok(Err(error)) => Err(lost(&error.to_string())),
        Err(_) => Err(lost(&format!("nothing within {} s", deadline.as_secs_f64()))),
    }
}

/// A connection, over either kind of socket.
trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}

impl<T: AsyncRead + AsyncWrite + Unpin + Send> Stream for T {}

async fn open(address: &SocketAddress) -> io::Result<Box<dyn Stream>> {
    Ok(match address {
        SocketAddress::Tcp { host, port } => {
            Box::new(TcpStream::connect((host.as_str(), *port)).await?)
        }
        SocketAddress::Unix(path) => Box::new(UnixStream::connect(path).await?),
    })
}

async fn converse(address: &SocketAddress, commands: &str) -> io::Result<Vec<u8>> {
    talk(open(address).await?, commands).await
}

async fn talk(mut stream: Box<dyn Stream>, commands: &str) -> io::Result<Vec<u8>> {
    stream.write_all(format!("{commands}\n").as_bytes()).await?;
    let mut answer = Vec::new();
    // One byte more than allowed tells that there was more.
    let limit = u64::try_from(LIMIT).unwrap_or(u64::MAX).saturating_add(1);
    stream.take(limit).read_to_end(&mut answer).await?;
    Ok(answer)
}

fn whole(address: &SocketAddress, answer: &[u8]) -> Result<String, Fault> {
    let invalid = |why: &str| Fault::new(FaultKind::InvalidReply, format!("{address}: {why}"));
    if answer.len() > LIMIT {
        let size = LIMIT / (1024 * 1024);
        return Err(invalid(&format!("an answer of more than {size} MiB")));
    }
    if answer.is_empty() {
        return Err(invalid("closed the connection without an answer")
            .hint("check that `stats socket` of HAProxy listens there"));
    }
    if answer.starts_with(b"HTTP/") {
        return Err(invalid("speaks HTTP, which the Runtime API does not")
            .hint("name the address of `stats socket`, not that of the statistics page"));
    }
    if !answer.ends_with(b"\n\n") {
        return Err(invalid("the answer ends before its end"));
    }
    Ok(String::from_utf8_lossy(answer).into_owned())
}

fn explain(address: &SocketAddress, error: &io::Error) -> Fault {
    let fault = |kind, why: &str| Fault::new(kind, format!("{address}: {why}"));
    match error.kind() {
        ErrorKind::PermissionDenied => {
            fault(FaultKind::Forbidden { permission: None }, "this user may not open the socket")
                .hint("set user, group or mode of `stats socket`; level user is enough to read")
        }
        ErrorKind::NotFound => fault(FaultKind::Unreachable, "there is no such socket")
            .hint("check the path, and that HAProxy runs; it is read again by itself"),
        ErrorKind::ConnectionRefused => fault(FaultKind::Unreachable, "connection refused")
            .hint("check that HAProxy runs and listens there; it is read again by itself"),
        _ => fault(FaultKind::Unreachable, &error.to_string()),
    }
}
