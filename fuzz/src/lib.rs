//! The bodies of the fuzz targets, the same that `cargo test` runs.

#[path = "../../crates/proto/tests/fuzz_bodies/mod.rs"]
pub mod bodies;
