//! Where a component may connect to: Spin's `allowed_outbound_hosts`, empty by default.

use std::ops::RangeInclusive;

/// Everything one component may connect to.
#[derive(Debug, Clone, Default)]
pub(crate) struct AllowedHosts {
    entries: Vec<Entry>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Entry {
    scheme: Option<String>,
    host: HostPattern,
    ports: Option<RangeInclusive<u16>>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum HostPattern {
    Any,
    /// `*.domain`: any name below the domain.
    Below(String),
    Exact(String),
}

impl AllowedHosts {
    /// Adds one entry such as `https://*.example.org:8000..8010`.
    pub(crate) fn add(&mut self, text: &str) -> Result<(), String> {
        self.entries.push(
            Entry::parse(text).map_err(|why| format!("'{text}' is not an outbound host: {why}"))?,
        );
        Ok(())
    }

    /// Whether a connection is allowed.
    pub(crate) fn allows(&self, scheme: &str, host: &str, port: u16) -> bool {
        let host = host.to_ascii_lowercase();
        self.entries.iter().any(|entry| entry.allows(scheme, &host, port))
    }
}

impl Entry {
    fn parse(text: &str) -> Result<Self, String> {
        let Some((scheme, rest)) = text.split_once("://") else {
            return Err("write scheme://host or scheme://host:port".to_owned());
        };
        let rest = rest.strip_suffix('/').unwrap_or(rest);
        if rest.contains(['/', '?', '#', '@']) {
            return Err("it can have no path, query or user".to_owned());
        }
        let scheme = match scheme {
            "*" => None,
            _ if scheme.starts_with(|first: char| first.is_ascii_alphabetic())
                && scheme
                    .bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte)) =>
            {
                Some(scheme.to_ascii_lowercase())
            }
            _ => return Err(format!("'{scheme}' is not a scheme")),
        };
        let (host, port) = split_port(rest)?;
        let ports = match port {
            Some("*") => None,
            Some(port) => Some(parse_ports(port)?),
            None => match scheme.as_deref() {
                Some(name) => match default_port(name) {
                    Some(port) => Some(port..=port),
                    None => return Err(format!("scheme '{name}' has no usual port: give one")),
                },
                None => return Err("scheme '*' needs a port, if only '*'".to_owned()),
            },
        };
        Ok(Self { scheme, host: HostPattern::parse(host)?, ports })
    }

    fn allows(&self, scheme: &str, host: &str, port: u16) -> bool {
        self.scheme.as_ref().is_none_or(|allowed| allowed.eq_ignore_ascii_case(scheme))
            && self.ports.as_ref().is_none_or(|allowed| allowed.contains(&port))
            && match &self.host {
                HostPattern::Any => true,
                HostPattern::Exact(allowed) => allowed == host,
                HostPattern::Below(domain) => host
                    .strip_suffix(domain.as_str())
                    .is_some_and(|name| name.len() > 1 && name.ends_with('.')),
            }
    }
}

impl HostPattern {
    fn parse(host: &str) -> Result<Self, String> {
        let host = host.to_ascii_lowercase();
        match host.strip_prefix("*.") {
            _ if host.is_empty() => Err("the host is missing".to_owned()),
            _ if host == "*" => Ok(Self::Any),
            Some(domain) if !domain.contains('*') => Ok(Self::Below(domain.to_owned())),
            None if !host.contains('*') => Ok(Self::Exact(host)),
            _ => Err("'*' can stand only for the whole host or its first part".to_owned()),
        }
    }
}

/// Splits `host:port`; an IPv6 address stands in brackets.
fn split_port(text: &str) -> Result<(&str, Option<&str>), String> {
    if let Some(inner) = text.strip_prefix('[') {
        let Some((_, after)) = inner.split_once(']') else {
            return Err("'[' without ']'".to_owned());
        };
        let host = text.strip_suffix(after).unwrap_or(text);
        return match after.strip_prefix(':') {
            Some(port) => Ok((host, Some(port))),
            None if after.is_empty() => Ok((host, None)),
            None => Err("only a port can follow ']'".to_owned()),
        };
    }
    match text.split_once(':') {
        Some((host, port)) => Ok((host, Some(port))),
        None => Ok((text, None)),
    }
}

/// One port, or Spin's half-open range `8000..8010`.
fn parse_ports(text: &str) -> Result<RangeInclusive<u16>, String> {
    let port = |text: &str| text.parse::<u16>().map_err(|_| format!("'{text}' is not a port"));
    match text.split_once("..") {
        None => port(text).map(|port| port..=port),
        Some((first, end)) => match (port(first)?, port(end)?.checked_sub(1)) {
            (first, Some(last)) if first <= last => Ok(first..=last),
            _ => Err(format!("port range '{text}' is empty")),
        },
    }
}

/// The port meant when none is written.
pub(crate) fn default_port(scheme: &str) -> Option<u16> {
    match scheme {
        "http" => Some(80),
        "https" => Some(443),
        "postgres" | "postgresql" => Some(5432),
        "mysql" => Some(3306),
        "redis" => Some(6379),
        "mqtt" => Some(1883),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(entry: &str, scheme: &str, host: &str, port: u16, expected: bool) {
        let mut hosts = AllowedHosts::default();
        hosts.add(entry).unwrap();
        assert_eq!(hosts.allows(scheme, host, port), expected, "{entry} {scheme}://{host}:{port}");
    }

    #[test]
    fn nothing_is_allowed_by_default() {
        assert!(!AllowedHosts::default().allows("http", "localhost", 80));
    }

    #[test]
    fn every_part_must_fit() {
        check("https://example.org", "https", "example.org", 443, true);
        check("https://example.org", "https", "EXAMPLE.org", 443, true);
        check("https://example.org", "http", "example.org", 443, false);
        check("https://example.org", "https", "example.org", 8443, false);
        check("https://example.org", "https", "example.org.evil", 443, false);
        check("http://127.0.0.1:9000..9002", "http", "127.0.0.1", 9001, true);
        check("http://127.0.0.1:9000..9002", "http", "127.0.0.1", 9002, false);
        check("http://[::1]:80", "http", "[::1]", 80, true);
    }

    #[test]
    fn wildcards_stand_for_whole_parts() {
        check("https://*.example.org", "https", "a.b.example.org", 443, true);
        check("https://*.example.org", "https", "example.org", 443, false);
        check("https://*.example.org", "https", "evilexample.org", 443, false);
        check("*://*:*", "postgres", "db", 5433, true);
        check("http://*.spin.internal", "http", "back.spin.internal", 80, true);
    }

    #[test]
    fn entries_that_cannot_work_are_refused() {
        let bad = [
            "example.org",
            "http://",
            "http://a/b",
            "ftp://a",
            "*://a",
            "http://a:x",
            "http://a*b",
            "http://a:9..9",
            "insecure:allow-all",
        ];
        for entry in bad {
            assert!(AllowedHosts::default().add(entry).is_err(), "{entry}");
        }
    }
}
