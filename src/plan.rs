//! From changes to an ordered plan: steps with their facts, stages, hazards. Pure; running it is `apply`'s.

pub mod hazard;
pub mod step;

pub use step::{Body, Clause, Disturbance, Stage, Step, Transaction};
