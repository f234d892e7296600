//! Finds the component that answers a path: exact routes, named segments and trailing wildcards.

use std::collections::HashMap;

/// One route pattern, taken apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Route {
    /// The pattern as the manifest has it.
    pub(crate) pattern: String,
    /// The pattern without its wildcard, in Spin's words the component route.
    pub(crate) base: String,
    /// How logs and metrics call it: `/x/{id}`, `/x/{*}`.
    pub(crate) template: String,
    segments: Vec<Segment>,
    wildcard: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Segment {
    Literal(String),
    Named(String),
}

impl Route {
    /// Takes a pattern apart.
    pub(crate) fn parse(pattern: &str) -> Result<Self, String> {
        let Some(path) = pattern.strip_prefix('/') else {
            return Err(format!("route '{pattern}' must begin with '/'"));
        };
        let (path, wildcard) = match path.strip_suffix("...") {
            Some(path) if path.is_empty() || path.ends_with('/') => (path, true),
            Some(_) => return Err(format!("route '{pattern}': '...' must be a whole segment")),
            None => (path, false),
        };
        let mut segments = Vec::new();
        for text in path.trim_end_matches('/').split('/').filter(|text| !text.is_empty()) {
            if text.contains("...") || text.contains('*') {
                return Err(format!("route '{pattern}': only the last segment can be '...'"));
            }
            match text.strip_prefix(':') {
                Some("") => return Err(format!("route '{pattern}' has a segment without a name")),
                Some(name) => segments.push(Segment::Named(name.to_owned())),
                None => segments.push(Segment::Literal(text.to_owned())),
            }
        }
        let mut base = String::new();
        let mut template = String::new();
        for segment in &segments {
            match segment {
                Segment::Literal(text) => {
                    base.extend(["/", text]);
                    template.extend(["/", text]);
                }
                Segment::Named(name) => {
                    base.extend(["/:", name]);
                    template.extend(["/{", name, "}"]);
                }
            }
        }
        if wildcard {
            template.push_str("/{*}");
        }
        if template.is_empty() {
            template.push('/');
        }
        Ok(Self { pattern: pattern.to_owned(), base, template, segments, wildcard })
    }
}

/// All routes of an application.
#[derive(Debug, Default)]
pub(crate) struct Router {
    root: Node,
}

#[derive(Debug, Default)]
struct Node {
    literals: HashMap<String, Node>,
    named: Option<Box<Node>>,
    exact: Option<Leaf>,
    wildcard: Option<Leaf>,
}

#[derive(Debug)]
struct Leaf {
    index: usize,
    names: Vec<String>,
}

/// A route found for a path.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Found<'p> {
    /// The number under which the route was added.
    pub(crate) index: usize,
    /// What the wildcard stands for, with its '/', or empty.
    pub(crate) rest: &'p str,
    /// What the named segments stand for.
    pub(crate) named: Vec<(String, &'p str)>,
}

impl Router {
    /// Adds a route under a number; an earlier route that takes the same paths is returned.
    pub(crate) fn add(&mut self, route: &Route, index: usize) -> Result<(), usize> {
        let mut node = &mut self.root;
        let mut names = Vec::new();
        for segment in &route.segments {
            node = match segment {
                Segment::Literal(text) => node.literals.entry(text.clone()).or_default(),
                Segment::Named(name) => {
                    names.push(name.clone());
                    node.named.get_or_insert_default()
                }
            };
        }
        let place = if route.wildcard { &mut node.wildcard } else { &mut node.exact };
        match place {
            Some(earlier) => Err(earlier.index),
            None => {
                *place = Some(Leaf { index, names });
                Ok(())
            }
        }
    }

    /// Finds the most specific route for a path: literal before named before wildcard.
    pub(crate) fn find<'p>(&self, path: &'p str) -> Option<Found<'p>> {
        let mut values = Vec::new();
        let (leaf, rest) = self.root.find(path, &mut values)?;
        let named = leaf.names.iter().cloned().zip(values).collect();
        Some(Found { index: leaf.index, rest, named })
    }
}

impl Node {
    /// `rest` is what of the path is left, beginning with '/' unless nothing is.
    fn find<'n, 'p>(
        &'n self,
        rest: &'p str,
        values: &mut Vec<&'p str>,
    ) -> Option<(&'n Leaf, &'p str)> {
        let inner = rest.trim_start_matches('/');
        if inner.is_empty() {
            if let Some(leaf) = &self.exact {
                return Some((leaf, ""));
            }
        } else {
            let end = inner.find('/').unwrap_or(inner.len());
            let (segment, after) = inner.split_at(end);
            if let Some(found) =
                self.literals.get(segment).and_then(|node| node.find(after, values))
            {
                return Some(found);
            }
            if let Some(node) = &self.named {
                values.push(segment);
                if let Some(found) = node.find(after, values) {
                    return Some(found);
                }
                values.pop();
            }
        }
        self.wildcard.as_ref().map(|leaf| (leaf, rest))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn router(patterns: &[&str]) -> Router {
        let mut router = Router::default();
        for (index, pattern) in patterns.iter().enumerate() {
            router.add(&Route::parse(pattern).unwrap(), index).unwrap();
        }
        router
    }

    #[track_caller]
    fn check(patterns: &[&str], path: &str, expected: Option<(usize, &str)>) {
        let router = router(patterns);
        assert_eq!(router.find(path).map(|found| (found.index, found.rest)), expected, "{path}");
    }

    #[test]
    fn the_most_specific_route_answers() {
        let routes = ["/...", "/fhir/...", "/fhir/metadata", "/fhir/:kind/history"];
        check(&routes, "/", Some((0, "/")));
        check(&routes, "/other/x", Some((0, "/other/x")));
        check(&routes, "/fhir", Some((1, "")));
        check(&routes, "/fhir/Patient/1", Some((1, "/Patient/1")));
        check(&routes, "/fhir/metadata", Some((2, "")));
        check(&routes, "/fhir/Patient/history", Some((3, "")));
        check(&routes, "/fhir/metadata/history", Some((3, "")));
    }

    #[test]
    fn an_exact_route_takes_only_itself() {
        check(&["/a"], "/a", Some((0, "")));
        check(&["/a"], "/a/", Some((0, "")));
        check(&["/a"], "/a/b", None);
        check(&["/a"], "/ab", None);
        check(&["/"], "/a", None);
    }

    #[test]
    fn named_segments_are_told() {
        let router = router(&["/x/:id/y/:other"]);
        let found = router.find("/x/1/y/2").unwrap();
        assert_eq!(found.named, [("id".to_owned(), "1"), ("other".to_owned(), "2")]);
    }

    #[test]
    fn routes_that_take_the_same_paths_clash() {
        let mut router = router(&["/x/:id"]);
        assert_eq!(router.add(&Route::parse("/x/:name").unwrap(), 7), Err(0));
        assert_eq!(router.add(&Route::parse("/x/...").unwrap(), 8), Ok(()));
    }

    #[test]
    fn a_template_never_holds_a_value() {
        assert_eq!(Route::parse("/x/:id/...").unwrap().template, "/x/{id}/{*}");
        assert_eq!(Route::parse("/").unwrap().template, "/");
    }

    #[test]
    fn patterns_that_cannot_work_are_refused() {
        for pattern in ["x", "/x...", "/.../x", "/:/x", "/*"] {
            assert!(Route::parse(pattern).is_err(), "{pattern}");
        }
    }
}
