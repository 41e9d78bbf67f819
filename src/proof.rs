//! Proves a plan before a person reads it: runs it on a shadow copy of the live schema and observes.

pub mod observe;
