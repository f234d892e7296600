//! Where a guest wants to connect. The host asks the same parser which host and port to allow.

use sqlx::postgres::{PgConnectOptions, PgSslMode};

use super::Error;

/// A parsed address: a `postgres://` URL or `host=… user=…`. Prints without the password.
#[derive(Clone, PartialEq, Eq)]
pub struct Address {
    /// Name or address of the server, or the folder of its socket if it begins with `/`.
    pub host: String,
    /// Its port.
    pub port: u16,
    user: String,
    password: String,
    database: String,
    ssl: String,
    application: String,
}

impl std::fmt::Debug for Address {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Address({}:{}/{})", self.host, self.port, self.database)
    }
}

fn bad(why: impl Into<String>) -> Error {
    Error::ConnectionFailed(format!("address: {}", why.into()))
}

impl Address {
    /// Parses an address. Nothing is taken from the host's environment or files, and options that
    /// would make us read files are refused.
    pub fn parse(text: &str) -> Result<Self, Error> {
        let mut address = Self {
            host: String::new(),
            port: 5432,
            user: String::new(),
            password: String::new(),
            database: String::new(),
            ssl: "prefer".into(),
            application: "auscult".into(),
        };
        let rest = text.strip_prefix("postgres://").or_else(|| text.strip_prefix("postgresql://"));
        match rest {
            Some(rest) => address.take_url(rest)?,
            None => address.take_words(text)?,
        }
        if address.host.is_empty() || address.user.is_empty() {
            return Err(bad("host and user are needed"));
        }
        if address.host.contains(',') {
            return Err(bad("one host only"));
        }
        if address.database.is_empty() {
            address.database.clone_from(&address.user);
        }
        Ok(address)
    }

    fn take_url(&mut self, rest: &str) -> Result<(), Error> {
        let (rest, query) = rest.split_once('?').unwrap_or((rest, ""));
        let (server, database) = rest.split_once('/').unwrap_or((rest, ""));
        let (login, server) = server.rsplit_once('@').unwrap_or(("", server));
        let (user, password) = login.split_once(':').unwrap_or((login, ""));
        let (host, port) = match server.strip_prefix('[') {
            Some(rest) => {
                let (host, port) = rest.split_once(']').ok_or_else(|| bad("[ without ]"))?;
                (host, port.strip_prefix(':').unwrap_or(port))
            }
            None => server.rsplit_once(':').unwrap_or((server, "")),
        };
        self.set("user", &unescape(user)?)?;
        self.set("password", &unescape(password)?)?;
        self.set("host", &unescape(host)?)?;
        self.set("dbname", &unescape(database)?)?;
        if !port.is_empty() {
            self.set("port", port)?;
        }
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
            self.set(&unescape(key)?, &unescape(value)?)?;
        }
        Ok(())
    }

    /// `key = 'value'` pairs, as libpq reads them.
    fn take_words(&mut self, text: &str) -> Result<(), Error> {
        let mut chars = text.chars().peekable();
        loop {
            while chars.next_if(|c| c.is_whitespace()).is_some() {}
            if chars.peek().is_none() {
                return Ok(());
            }
            let mut key = String::new();
            while let Some(c) = chars.next_if(|c| !c.is_whitespace() && *c != '=') {
                key.push(c);
            }
            while chars.next_if(|c| c.is_whitespace()).is_some() {}
            if chars.next() != Some('=') {
                return Err(bad(format!("no value for {key}")));
            }
            while chars.next_if(|c| c.is_whitespace()).is_some() {}
            let quoted = chars.next_if_eq(&'\'').is_some();
            let mut value = String::new();
            loop {
                match chars.next() {
                    Some('\\') => value.extend(chars.next()),
                    Some('\'') if quoted => break,
                    None if quoted => return Err(bad("' without end")),
                    None => break,
                    Some(c) if c.is_whitespace() && !quoted => break,
                    Some(c) => value.push(c),
                }
            }
            self.set(&key, &value)?;
        }
    }

    fn set(&mut self, key: &str, value: &str) -> Result<(), Error> {
        let value = value.to_owned();
        match key {
            "host" | "hostaddr" => self.host = value,
            "port" => self.port = value.parse().map_err(|_| bad("port"))?,
            "user" => self.user = value,
            "password" => self.password = value,
            "dbname" => self.database = value,
            "sslmode" => self.ssl = value,
            "application_name" => self.application = value,
            // The host bounds these itself.
            "connect_timeout" | "keepalives" | "keepalives_idle" | "target_session_attrs" => {}
            _ => return Err(bad(format!("{key} is not supported"))),
        }
        Ok(())
    }

    pub(super) fn options(&self) -> Result<PgConnectOptions, Error> {
        let ssl = match self.ssl.as_str() {
            "disable" => PgSslMode::Disable,
            "allow" | "prefer" => PgSslMode::Prefer,
            "require" => PgSslMode::Require,
            "verify-ca" => PgSslMode::VerifyCa,
            "verify-full" => PgSslMode::VerifyFull,
            _ => return Err(bad("sslmode")),
        };
        let options = PgConnectOptions::new_without_pgpass()
            .port(self.port)
            .username(&self.user)
            .password(&self.password)
            .database(&self.database)
            .application_name(&self.application)
            .ssl_mode(ssl);
        Ok(if self.host.starts_with('/') {
            options.socket(&self.host)
        } else {
            options.host(&self.host)
        })
    }
}

/// Undoes percent-encoding.
fn unescape(text: &str) -> Result<String, Error> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        let mut digit = || rest.next().and_then(|byte| char::from(byte).to_digit(16));
        let (Some(high), Some(low)) = (digit(), digit()) else { return Err(bad("% escape")) };
        bytes.push(u8::try_from(high * 16 + low).map_err(|_| bad("% escape"))?);
    }
    String::from_utf8(bytes).map_err(|_| bad("not UTF-8"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_and_words_say_the_same() {
        let url = Address::parse("postgres://us%40er:p%3Aw@db.example:6000/data?sslmode=disable");
        let words = "host=db.example  port = 6000 user='us@er' password=p:w dbname=data \
                     sslmode=disable connect_timeout=3";
        assert_eq!(url.unwrap(), Address::parse(words).unwrap());
        let six = Address::parse("postgresql://u@[::1]:7/").unwrap();
        assert_eq!((six.host.as_str(), six.port, six.database.as_str()), ("::1", 7, "u"));
    }

    #[test]
    fn what_reads_files_or_is_not_understood_is_refused() {
        for text in [
            "postgres://u@h/d?sslrootcert=/etc/passwd",
            "host=h user=u passfile=/x",
            "host=a,b user=u",
            "host=h",
            "user=u",
            "host=h user=u port=x",
            "host=h user='u",
            "nonsense",
        ] {
            assert!(Address::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_password_is_not_printed() {
        let address = Address::parse("postgres://u:secret@h/d").unwrap();
        assert_eq!(format!("{address:?}"), "Address(h:5432/d)");
    }
}
