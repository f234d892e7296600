//! The payload shapes the catalogue knows, and the choice among them.

mod generic;

use serde_json::Value;

use crate::collector::{Collector, Path};
use crate::decoded::{Context, DecodeError, Decoded};
use crate::device::device_of;

/// One payload shape.
#[derive(Debug, Clone, Copy)]
pub struct Shape {
    /// Name of the catalogue entry: `fitbit`.
    pub name: &'static str,
    /// What it is, for people.
    pub title: &'static str,
    recognises: fn(&Value) -> bool,
    read: fn(&mut Collector<'_>, &Value, &Path<'_>),
}

/// Every shape, in the order in which they are tried; `generic` takes what no other does.
pub const SHAPES: &[Shape] = &[Shape {
    name: "generic",
    title: "plain JSON: measurements by any of their names",
    recognises: |_| true,
    read: generic::read,
}];

/// Decodes one message. `source` names a shape; without it (or with a name that is none) the message
/// itself tells which shape it has.
///
/// # Errors
/// [`DecodeError::UnknownShape`] when nothing in the message is known, with every place that was
/// passed over. Values that are known but cannot be taken are in [`Decoded::rejected`].
pub fn decode(
    message: &Value,
    source: Option<&str>,
    context: &Context,
) -> Result<Decoded, DecodeError> {
    let named = source.and_then(|name| SHAPES.iter().find(|it| it.name == name));
    let shape = named.or_else(|| SHAPES.iter().find(|it| (it.recognises)(message)));
    let Some(shape) = shape else {
        return Err(DecodeError::UnknownShape(generic::passed_over(message)));
    };
    let mut collector = Collector::new(context);
    (shape.read)(&mut collector, message, &Path::Root);
    let nothing = collector.readings.is_empty() && collector.rejected.is_empty();
    if nothing && shape.name == "generic" {
        return Err(DecodeError::UnknownShape(generic::passed_over(message)));
    }
    Ok(collector.finish(shape.name, device_of(message).map(str::to_owned)))
}
