//! The declared schema as texts: what they say, where, and in which order it loads.
pub mod split;
pub mod syntax;
pub mod walk;
