//! Bounds on what the host spends on requests and guests, each with its reason.

use std::time::Duration;

/// What the host spends at most. The defaults fit a small server and a Raspberry Pi alike.
#[derive(Debug, Clone)]
pub struct Limits {
    /// Outer requests in flight; one more is answered 503. 512 keeps a few hundred milliseconds
    /// of queue on two cores, more would only wait longer.
    pub in_flight_max: usize,
    /// Instances alive at once, chained ones included. Twice the outer requests: when chains
    /// use them up, the chained call is answered 503 instead of waiting for itself.
    pub instances_max: u32,
    /// Request line and headers. Browsers and proxies stay far below.
    pub header_bytes_max: usize,
    /// Time for a client to send its headers.
    pub header_time_max: Duration,
    /// Time from a request's start to its instance's end, waiting included.
    pub request_time_max: Duration,
    /// How deep components may call each other; a cycle ends here with 508.
    pub chain_depth_max: u8,
    /// Memory of one instance unless its component says otherwise.
    pub memory_bytes_max: u64,
    /// Time one instance may compute unless its component says otherwise.
    pub deadline: Duration,
    /// Time to reach another host. A host that needs longer is as good as down.
    pub connect_time_max: Duration,
    /// Time for another host to begin its answer, and between parts of it.
    pub outbound_time_max: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            in_flight_max: 512,
            instances_max: 1024,
            header_bytes_max: 64 << 10,
            header_time_max: Duration::from_secs(10),
            request_time_max: Duration::from_secs(120),
            chain_depth_max: 16,
            memory_bytes_max: 128 << 20,
            deadline: Duration::from_secs(30),
            connect_time_max: Duration::from_secs(10),
            outbound_time_max: Duration::from_secs(60),
        }
    }
}
