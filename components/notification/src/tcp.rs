//! TCP over WASI sockets on the executor of the Spin SDK: mail relays and MLLP listeners.

use std::future::poll_fn;
use std::task::Poll;

use spin_executor::{CancelOnDropToken, push_waker_and_get_token};
use wasi::io::poll::Pollable;
use wasi::io::streams::{InputStream, OutputStream, StreamError};
use wasi::sockets::instance_network::instance_network;
use wasi::sockets::ip_name_lookup::resolve_addresses;
use wasi::sockets::network::{
    ErrorCode, IpAddress, IpAddressFamily, IpSocketAddress, Ipv4SocketAddress, Ipv6SocketAddress,
};
use wasi::sockets::tcp::TcpSocket;
use wasi::sockets::tcp_create_socket::create_tcp_socket;

/// Most bytes read at once.
const READ_BYTES: u64 = 4 * 1024;

/// A connection. Fields drop in this order: streams are children of their socket.
pub struct Connection {
    input: InputStream,
    output: OutputStream,
    _socket: TcpSocket,
}

impl Connection {
    /// Connects to the first address that answers.
    pub async fn to(host: &str, port: u16) -> Result<Self, String> {
        let mut last = "dns-error".to_owned();
        for address in addresses(host).await? {
            match connect(address, port).await {
                Ok(connection) => return Ok(connection),
                Err(error) => last = code(error),
            }
        }
        Err(last)
    }

    /// Some bytes; none means that the other side closed.
    pub async fn read(&self) -> Result<Vec<u8>, String> {
        loop {
            match self.input.read(READ_BYTES) {
                Ok(bytes) if bytes.is_empty() => ready(self.input.subscribe()).await,
                Ok(bytes) => return Ok(bytes),
                Err(StreamError::Closed) => return Ok(Vec::new()),
                Err(_) => return Err("connection-read".to_owned()),
            }
        }
    }

    /// All of these bytes.
    pub async fn write(&self, mut bytes: &[u8]) -> Result<(), String> {
        let broken = |_| "connection-write".to_owned();
        while !bytes.is_empty() {
            let room = usize::try_from(self.output.check_write().map_err(broken)?).unwrap_or(0);
            if room == 0 {
                ready(self.output.subscribe()).await;
                continue;
            }
            let (now, rest) = bytes.split_at(room.min(bytes.len()));
            self.output.write(now).map_err(broken)?;
            bytes = rest;
        }
        self.output.flush().map_err(broken)
    }
}

async fn addresses(host: &str) -> Result<Vec<IpAddress>, String> {
    if let Ok(address) = host.parse::<std::net::IpAddr>() {
        return Ok(vec![match address {
            std::net::IpAddr::V4(it) => IpAddress::Ipv4(it.octets().into()),
            std::net::IpAddr::V6(it) => IpAddress::Ipv6(it.segments().into()),
        }]);
    }
    let stream = resolve_addresses(&instance_network(), host).map_err(code)?;
    let mut found = Vec::new();
    loop {
        match stream.resolve_next_address() {
            Ok(Some(address)) => found.push(address),
            Ok(None) => return Ok(found),
            Err(ErrorCode::WouldBlock) => ready(stream.subscribe()).await,
            Err(error) => return Err(code(error)),
        }
    }
}

async fn connect(address: IpAddress, port: u16) -> Result<Connection, ErrorCode> {
    let (family, address) = match address {
        IpAddress::Ipv4(address) => {
            (IpAddressFamily::Ipv4, IpSocketAddress::Ipv4(Ipv4SocketAddress { port, address }))
        }
        IpAddress::Ipv6(address) => {
            let address = Ipv6SocketAddress { port, flow_info: 0, address, scope_id: 0 };
            (IpAddressFamily::Ipv6, IpSocketAddress::Ipv6(address))
        }
    };
    let socket = create_tcp_socket(family)?;
    socket.start_connect(&instance_network(), address)?;
    loop {
        match socket.finish_connect() {
            Ok((input, output)) => return Ok(Connection { input, output, _socket: socket }),
            Err(ErrorCode::WouldBlock) => ready(socket.subscribe()).await,
            Err(error) => return Err(error),
        }
    }
}

/// Waits until a pollable is ready. The pollable is dropped before this returns, as its parent may
/// be dropped next.
async fn ready(pollable: Pollable) {
    let mut pollable = Some(pollable);
    let mut token: Option<CancelOnDropToken> = None;
    poll_fn(move |context| {
        let Some(first) = pollable.take() else {
            drop(token.take());
            return Poll::Ready(());
        };
        let waiting = push_waker_and_get_token(first, context.waker().clone());
        token = Some(CancelOnDropToken::from(waiting));
        Poll::Pending
    })
    .await;
}

fn code(error: ErrorCode) -> String {
    match error {
        ErrorCode::ConnectionRefused => "connection-refused",
        ErrorCode::AccessDenied => "not-allowed",
        ErrorCode::Timeout => "timeout",
        ErrorCode::NameUnresolvable | ErrorCode::TemporaryResolverFailure => "dns-error",
        _ => "unreachable",
    }
    .to_owned()
}
