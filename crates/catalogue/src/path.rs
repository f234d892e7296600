//! A place in a message, written as JSON Pointer only when something is said of it.

/// A place in the message, kept on the stack; written out only when something is said of it.
#[derive(Clone, Copy)]
pub(crate) enum Path<'a> {
    /// The whole message.
    Root,
    /// A member of an object.
    Key(&'a Path<'a>, &'a str),
    /// An element of an array.
    Index(&'a Path<'a>, usize),
}

impl<'a> Path<'a> {
    pub(crate) const fn key(&'a self, key: &'a str) -> Self {
        Path::Key(self, key)
    }

    pub(crate) const fn index(&'a self, index: usize) -> Self {
        Path::Index(self, index)
    }

    /// As JSON Pointer (RFC 6901).
    pub(crate) fn pointer(&self) -> String {
        let mut text = String::new();
        self.write(&mut text);
        text
    }

    fn write(&self, text: &mut String) {
        match self {
            Self::Root => {}
            Self::Key(parent, key) => {
                parent.write(text);
                text.push('/');
                for it in key.chars() {
                    match it {
                        '~' => text.push_str("~0"),
                        '/' => text.push_str("~1"),
                        it => text.push(it),
                    }
                }
            }
            Self::Index(parent, index) => {
                parent.write(text);
                text.push('/');
                text.push_str(&index.to_string());
            }
        }
    }
}
