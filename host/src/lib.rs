//! A host that serves any plain Spin HTTP application from its `spin.toml`.
